"""Stacks of matrices, sums added in place, and every small size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import matmul
from kernels.matmul.direct import cpu as direct
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    central_differences,
    nan_poisoned,
    non_contiguous,
    read_only,
)
from tests.kernels.guards import guarded, poisoned_memory, scratch_of
from tests.kernels.test_matmul import DTYPES, TRANSPOSES, options

# Leading axes of a and of b: alike, broadcast either way, added, none.
LEADING = [
    ((5,), (5,)),
    ((5,), ()),
    ((), (5,)),
    ((2, 1), (3,)),
    ((1,), (7,)),
    ((7,), (1,)),
    ((2, 1, 3), (1, 4, 1)),
]


def stack(shape, transpose, dtype, rng):
    *leading, rows, columns = shape
    return rng.normal(size=(*leading, columns, rows) if transpose else shape).astype(dtype)


def product(a, b, transposes, bias=None):
    a = a.swapaxes(-1, -2) if transposes[0] else a
    b = b.swapaxes(-1, -2) if transposes[1] else b
    y = a.astype(np.float64) @ b.astype(np.float64)
    return y if bias is None else y + bias


@pytest.mark.parametrize("transposes", TRANSPOSES, ids=["ab", "ab'", "a'b", "a'b'"])
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_j_stacks_are_numpys(monkeypatch, dtype, tolerance, transposes):
    rng = np.random.default_rng(1)
    for one, other in LEADING:
        for m, k, n in [(1, 1, 1), (3, 5, 7), (6, 17, 33)]:
            a = guarded(stack((*one, m, k), transposes[0], dtype, rng))
            b = guarded(stack((*other, k, n), transposes[1], dtype, rng))
            bias = rng.normal(size=n).astype(dtype)
            before = a.copy(), b.copy()
            with poisoned_memory(monkeypatch):
                y, saved = matmul.forward(a, b, bias, **options(transposes, True))
                wanted = np.maximum(product(a, b, transposes, bias), 0)
                assert_close(y, wanted, 8 * tolerance)
                dy = rng.normal(size=y.shape).astype(dtype)
                da, db, dbias = matmul.backward(dy, saved)
            assert_same_bits((a, b), before)
            assert {array.dtype for array in (y, da, db, dbias)} == {np.dtype(dtype)}
            dy = np.where(y > 0, dy, 0).astype(np.float64)
            plain_a = a.swapaxes(-1, -2) if transposes[0] else a
            plain_b = b.swapaxes(-1, -2) if transposes[1] else b
            wanted_a = summed(dy @ plain_b.swapaxes(-1, -2), plain_a.shape)
            wanted_b = summed(plain_a.swapaxes(-1, -2) @ dy, plain_b.shape)
            scale = 8 * tolerance * max(1, dy.size**0.5)
            assert_close(da.swapaxes(-1, -2) if transposes[0] else da, wanted_a, scale)
            assert_close(db.swapaxes(-1, -2) if transposes[1] else db, wanted_b, scale)
            assert_close(dbias, dy.reshape(-1, n).sum(0), scale)


def summed(gradient, shape):
    added = gradient.ndim - len(shape)
    gradient = gradient.sum(tuple(range(added)))
    axes = tuple(i for i, size in enumerate(shape) if size == 1)
    return gradient.sum(axes, keepdims=True)


@pytest.mark.parametrize("implementation", ["reference", "cpu_direct"])
@pytest.mark.parametrize("together", [False, True])
def test_implementations_of_stacks_share_their_parameters(monkeypatch, implementation, together):
    if together:
        monkeypatch.setattr(direct, "SERIAL", 0)
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(2, 5, 300)), rng.normal(size=(3, 9, 300))
    y = nan_poisoned((4, 5, 9), np.float64)
    module, of_a = matmul.IMPLEMENTATIONS[implementation], {"a": a, "b": b, "transpose_a": False}
    module.product_stacks(
        a=a,
        b=b,
        bias=np.empty(0),
        a_items=np.array([0, 1, 1, 0]),
        b_items=np.array([2, 1, 0, 0]),
        transpose_a=False,
        transpose_b=True,
        relu=False,
        **scratch_of(module, "product_stacks", of_a),
        out_y=y,
    )
    assert_close(y, a[[0, 1, 1, 0]] @ b[[2, 1, 0, 0]].swapaxes(1, 2), 1e-13)


def test_gradients_of_stacks_against_central_differences():
    rng = np.random.default_rng(3)
    a, b, bias = rng.normal(size=(2, 1, 3, 4)), rng.normal(size=(3, 4, 2)), rng.normal(size=2)
    y, saved = matmul.forward(a, b, bias)
    dy = rng.normal(size=y.shape)
    arrays = [a, b, bias]
    for position, gradient in enumerate(matmul.backward(dy, saved)):

        def loss(point, position=position):
            moved = [point if k == position else array for k, array in enumerate(arrays)]
            return np.sum(dy * (moved[0] @ moved[1] + moved[2]))

        assert_close(gradient, central_differences(loss, arrays[position]), 1e-8)


@pytest.mark.parametrize(
    ("one", "other"),
    [((40, 16, 64), (40, 64, 48)), ((3, 200, 300), (3, 300, 100)), ((2, 70, 600), (600, 30))],
)
def test_stacks_have_the_same_bits_on_any_threads_and_alone(one, other):
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=one).astype(np.float32), rng.normal(size=other).astype(np.float32)
    dy = rng.normal(size=(one[0], one[1], other[-1])).astype(np.float32)

    def both():
        y, saved = matmul.forward(a, b)
        return y, *matmul.backward(dy, saved)[:2]

    assert_same_bits_on_threads(both)
    for item, whole in enumerate(both()[0]):
        assert_same_bits(whole, matmul.product(a[item], b[item] if b.ndim == 3 else b))


@pytest.mark.parametrize("change", [non_contiguous, read_only, np.asfortranarray])
def test_stacks_of_other_layouts(change):
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(4, 1, 3, 5)), rng.normal(size=(6, 5, 2))
    assert_same_bits(matmul.product(change(a), change(b)), matmul.product(a, b))


@pytest.mark.parametrize(
    ("one", "other"),
    [((0, 2, 3), (3, 4)), ((0, 2, 3), (0, 3, 4)), ((2, 0, 3), (2, 3, 4)), ((2, 3, 0), (2, 0, 4)),
     ((0, 1, 3), (1, 3, 0))],
)  # fmt: skip
def test_empty_stacks(one, other):
    a, b = np.ones(one, np.float32), np.ones(other, np.float32)
    y, saved = matmul.forward(a, b)
    assert_same_bits(y, a @ b)
    da, db, _ = matmul.backward(np.ones_like(y), saved)
    assert da.shape == a.shape and db.shape == b.shape
    assert not da.any() and not db.any()


@settings(max_examples=150)
@given(
    m=st.integers(0, 40),
    k=st.integers(0, 40),
    n=st.integers(0, 40),
    items=st.sampled_from([None, None, 1, 3]),
    transposes=st.sampled_from(TRANSPOSES),
    dtype=st.sampled_from([np.float32, np.float64]),
    relu=st.booleans(),
    biased=st.booleans(),
)
def test_every_small_size_writes_itself_and_nothing_else(
    m, k, n, items, transposes, dtype, relu, biased
):
    rng = np.random.default_rng(m + 41 * k + 1681 * n)
    leading = () if items is None else (items,)
    a = guarded(stack((*leading, m, k), transposes[0], dtype, rng))
    b = guarded(stack((*leading, k, n), transposes[1], dtype, rng))
    bias = guarded(rng.normal(size=n).astype(dtype)) if biased else None
    y, saved = matmul.forward(a, b, bias, **options(transposes, relu))
    wanted = product(a, b, transposes, bias)
    assert_close(y, np.maximum(wanted, 0) if relu else wanted, 1e-5)
    gradients = matmul.backward(guarded(np.ones_like(y)), saved)
    for gradient, array in zip(gradients, (a, b, bias), strict=True):
        assert (gradient is None) == (array is None)
        assert array is None or (gradient.shape == array.shape and np.isfinite(gradient).all())


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("transposes", TRANSPOSES)
def test_small_gradients_have_the_bits_of_the_large_ones(monkeypatch, transposes, relu):
    """In one call as in three; where K is cut, too."""
    rng = np.random.default_rng(6)
    for m, k, n in [(7, 11, 13), (300, 5, 9), (5, 300, 9), (5, 9, 300)]:
        a, b = (
            stack((m, k), transposes[0], np.float32, rng),
            stack((k, n), transposes[1], np.float32, rng),
        )
        bias, dy = (rng.normal(size=size).astype(np.float32) for size in (n, (m, n)))
        _, saved = matmul.forward(a, b, bias, **options(transposes, relu))
        together = matmul.backward(dy, saved)
        with monkeypatch.context() as patch:
            patch.setattr(matmul.algorithms, "gradients_fit_together", lambda *sizes: False)
            assert_same_bits(together, matmul.backward(dy, saved))


@pytest.mark.parametrize("transposes", TRANSPOSES)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_sums_are_added_in_place(monkeypatch, dtype, tolerance, transposes):
    rng = np.random.default_rng(7)
    for m, k, n in [(1, 1, 1), (5, 3, 7), (13, 600, 49)]:
        a, b = (
            stack((m, k), transposes[0], dtype, rng),
            stack((k, n), transposes[1], dtype, rng),
        )
        y = guarded(rng.normal(size=(m, n)).astype(dtype))
        wanted = y + product(a, b, transposes)
        with poisoned_memory(monkeypatch):
            matmul.accumulate(a, b, y, transpose_a=transposes[0], transpose_b=transposes[1])
        assert_close(y, wanted, tolerance * max(1, k**0.5))
    empty = np.ones((2, 3), dtype)
    matmul.accumulate(np.ones((2, 0), dtype), np.ones((0, 3), dtype), empty)
    assert empty.all()


def test_what_cannot_be_added_in_place_is_refused():
    a, b, y = np.ones((2, 3)), np.ones((3, 4)), np.ones((2, 4))
    for wrong in (y[:1], np.ones((1, 2, 4))):
        with pytest.raises(ValueError, match=r"expected matrices and y of shape \(2, 4\), got"):
            matmul.accumulate(a, b, wrong)
    for wrong in (read_only(y), non_contiguous(y), np.asfortranarray(y)):
        with pytest.raises(ValueError, match=r"expected y, which is written in place"):
            matmul.accumulate(a, b, wrong)
    with pytest.raises(TypeError, match=r"expected y of float64 like the rest, got float32"):
        matmul.accumulate(a, b, y.astype(np.float32))


@pytest.mark.parametrize(("rows", "columns"), [(1, 200), (2, 96), (1, 47), (2, 10)])
def test_few_rows_take_the_widest_tile(rows, columns):
    """And have the bits that they have among others."""
    rng = np.random.default_rng(8)
    a = rng.normal(size=(40, 300)).astype(np.float32)
    b = rng.normal(size=(300, columns)).astype(np.float32)
    assert_same_bits(matmul.product(a[:rows], b), matmul.product(a, b)[:rows])
    turned = np.ascontiguousarray(b.T)
    assert_same_bits(
        matmul.product(a[:rows], turned, transpose_b=True), matmul.product(a, b)[:rows]
    )
