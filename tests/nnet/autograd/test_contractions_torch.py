"""einsum, dot, mm and bmm against PyTorch's."""

import numpy as np
import pytest

import nnet as nn

from .against_torch import check_refused, check_same

GENERATOR = np.random.default_rng(0)
FLOATS = pytest.mark.parametrize("dtype", [np.float32, np.float64])

EQUATIONS = {
    "ij,jk->ik": [(2, 3), (3, 4)],
    "ij,jk": [(2, 3), (3, 4)],
    "ij,kj->ik": [(2, 3), (4, 3)],
    "ji,jk->ki": [(3, 2), (3, 4)],
    "i j , j k -> i k": [(2, 3), (3, 4)],
    "bA,Ac": [(2, 3), (3, 4)],
    "bhid,bhjd->bhij": [(2, 3, 4, 5), (2, 3, 6, 5)],
    "bhij,bhjd->bihd": [(2, 3, 4, 5), (2, 3, 5, 6)],
    "b i d, b j d -> b i j": [(2, 4, 5), (2, 3, 5)],
    "i,j->ij": [(2,), (3,)],
    "i,j": [(2,), (3,)],
    "i,i->i": [(3,), (3,)],
    "i,i": [(3,), (3,)],
    "ij->ji": [(2, 3)],
    "ba": [(2, 3)],
    "ij->": [(2, 3)],
    "ij->j": [(2, 3)],
    "ijk->ki": [(2, 3, 4)],
    "ii->i": [(3, 3)],
    "ii": [(3, 3)],
    "iij->ji": [(3, 3, 2)],
    "ii,ij->j": [(3, 3), (3, 2)],
    "iji,j": [(2, 3, 2), (3,)],
    "...ij,...jk": [(2, 5, 2, 3), (3, 4)],
    "...ij,...jk->...ki": [(5, 2, 3), (2, 1, 3, 4)],
    "i...,i...->...": [(2, 3, 4), (2, 3, 4)],
    "i...j->...": [(2, 3, 4)],
    "...i,...i->i": [(2, 3), (4, 1, 3)],
    "...": [(2, 3)],
    "ij,jk->ik ": [(2, 1), (3, 4)],
    "bi,bi->b": [(1, 3), (4, 1)],
    "ij,j,k->i": [(2, 3), (3,), (4,)],
    "bn,anm,bm->ba": [(2, 5), (3, 5, 4), (2, 4)],
    "ab,bc,cd,de->ae": [(2, 3), (3, 4), (4, 5), (5, 2)],
    "a,b,c": [(2,), (3,), (4,)],
    "ij,ij,ij->ij": [(2, 3), (2, 3), (2, 3)],
    "ij,jk->k": [(2, 3), (3, 0)],
    "ij,jk->ki": [(2, 0), (0, 3)],
    ",i->i": [(), (3,)],
    "->": [()],
}


@FLOATS
@pytest.mark.parametrize("equation", EQUATIONS)
def test_einsum(equation, dtype):
    shapes = EQUATIONS[equation]
    arrays = [np.asarray(GENERATOR.normal(size=shape), dtype) for shape in shapes]
    check_same(lambda t, *xs: t.einsum(equation, *xs), *arrays)
    check_same(lambda t, *xs: t.einsum(equation, [x * 2 for x in xs]), *arrays)
    turned = [np.array(x, order="F") for x in arrays]
    check_same(lambda t, *xs: t.einsum(equation, *xs), *turned)


def test_einsum_of_numbered_axes():
    a, b = GENERATOR.normal(size=(2, 3)), GENERATOR.normal(size=(3, 4))
    check_same(lambda t, a, b: t.einsum(a, [0, 1], b, [1, 2], [2, 0]), a, b)
    check_same(lambda t, a, b: t.einsum(a, [30, 1], b, [1, 2]), a, b)
    check_same(lambda t, a, b: t.einsum(a, [..., 1], b, [1, 2], [..., 2]), a, b)


def test_einsum_of_one_tensor_twice_and_of_integers():
    x = GENERATOR.normal(size=(3, 3))
    check_same(lambda t, x: t.einsum("ij,kj->ik", x, x), x)
    check_same(lambda t, x, i: t.einsum("ij,kj->ik", x.detach(), x), x, np.arange(3))
    check_same(lambda t, x: t.einsum("ij,jk", x, x), np.arange(9).reshape(3, 3))
    check_same(lambda t, x: t.einsum("ij->i", x), np.arange(9).reshape(3, 3))


def test_the_result_has_memory_of_its_own():
    x = nn.ones(2, 3, requires_grad=True)
    y = nn.einsum("ij->ji", x)
    y += 1
    assert x.data.sum() == 6
    y.sum().backward()
    assert x.grad.data.sum() == 6


def test_einsum_refuses():
    a, b = np.ones((2, 3)), np.ones((3, 4))
    for equation, match in {
        "ij,jk->il": "result letters once, of operands, got 'l'",
        "ij,jk->ii": "got 'i'",
        "ij,ik->jk": "equally long or 1",
        "ij->i": "as many operands as 'ij->i' has terms, got 2",
        "ij,jkl": "'jkl' to name each axis",
        "ij,j": "'j' to name each axis",
        "i1,jk": "got 'i1'",
        "i......,jk": "got 'i......'",
        "ii,jk": "diagonal of equal axes",
    }.items():
        check_refused(lambda t, a, b, e=equation: t.einsum(e, a, b), ValueError, match, a, b)
    check_refused(
        lambda t, a, b: t.einsum("ij,jk", a, b), TypeError, "float32 and float64", a, b.astype("f")
    )
    check_refused(lambda t, a: t.einsum("ij,jk", a, 2), TypeError, "got int", a)
    check_refused(lambda t, a: t.einsum(a, [0, 52]), ValueError, "from 0 to 51, got 52", a)
    check_refused(lambda t, a: t.einsum("ij"), ValueError, "got 0", a)


@FLOATS
@pytest.mark.parametrize(
    "name, first, second",
    [
        ("mm", (2, 3), (3, 4)),
        ("mm", (2, 0), (0, 4)),
        ("mm", (0, 3), (3, 4)),
        ("bmm", (5, 2, 3), (5, 3, 4)),
        ("bmm", (0, 2, 3), (0, 3, 4)),
        ("dot", (5,), (5,)),
        ("dot", (0,), (0,)),
    ],
)
def test_products(name, first, second, dtype):
    a, b = (GENERATOR.normal(size=shape).astype(dtype) for shape in (first, second))
    check_same(lambda t, a, b: getattr(a, name)(b), a, b)
    check_same(lambda t, a, b: getattr(t, name)(a * 2, b.detach()), a, b)
    check_same(lambda t, a, b: getattr(a, name)(b), *map(np.asfortranarray, (a, b)))
    whole = [(x * 5).astype(np.int64) for x in (a, b)]
    check_same(lambda t, a, b: getattr(a, name)(b), *whole)


def test_products_refuse():
    one, two, three = np.ones(3), np.ones((3, 3)), np.ones((2, 3, 3))

    def check(name, a, b, error=ValueError, match="expected shapes"):
        check_refused(lambda t, a, b: getattr(a, name)(b), error, match, a, b)

    check("dot", one, one[:1])
    check("dot", two, one)
    check("mm", two, two[:2])
    check("mm", two, one)
    check("mm", three, two)
    check("bmm", three, three[:1])
    check("bmm", three, three[:, :2])
    check("bmm", three, two)
    for name, x in (("dot", one), ("mm", two), ("bmm", three)):
        check(name, x, x.astype(np.float32), TypeError, "one dtype, got float64 and float32")
        check_refused(lambda t, x, n=name: getattr(x, n)(2), TypeError, "got int", x)
    check("mm", two > 0, two > 0, TypeError, "got bool and bool")
