"""gather, scatter and index_select against PyTorch's."""

import numpy as np
import pytest

import nnet as nn

from .against_torch import check_refused, check_same

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(3, 4, 5))
ALONG = {dim: GENERATOR.integers(0, X.shape[dim], (2, 3, 4)) for dim in (0, 1, 2, -1, -3)}
REPEATED = np.zeros((3, 4, 7), np.int64)
# Every place at most once: PyTorch says no more of the gradient.
ONCE = np.argsort(GENERATOR.random((3, 4, 5)), axis=1)[:2, :3, :4].copy()
FLOATS = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@FLOATS
@pytest.mark.parametrize("dim", ALONG)
def test_gather(dtype, dim):
    x = X.astype(dtype)
    check_same(lambda t, x, i: x.gather(dim, i), x, ALONG[dim])
    check_same(lambda t, x, i: t.gather(x, dim, i), x, ALONG[dim].astype(np.int32))
    check_same(
        lambda t, x, i: x.gather(dim=dim, index=i), x.transpose(2, 1, 0).copy().T, ALONG[dim]
    )
    check_same(lambda t, x, i: (x * 2).gather(2, i), x, REPEATED)


@FLOATS
def test_gather_of_few_axes(dtype):
    x = X.astype(dtype)[0, 0]
    one, two = np.array(1), np.array([0, 0])
    check_same(lambda t, x, i: x.gather(0, i), x, one)
    check_same(lambda t, x, i: x[0].gather(-1, i * 0), x, one)
    check_same(lambda t, x, i: x[0].gather(0, i), x, two)
    check_same(lambda t, x, i: x.gather(0, i), x, np.zeros(0, np.int64))
    check_same(lambda t, x, i: x.gather(0, i), x, np.zeros((2, 0), np.uint8))
    check_same(lambda t, x, i: x[:0].gather(0, i), x, np.zeros(0, np.int64))
    check_same(lambda t, x, i: (x > 0).gather(0, i), x, two)


def test_gather_refuses():
    def gather(t, x, i):
        return x.gather(1, i)

    x = X[0]
    check_refused(gather, IndexError, "from 0 to 4, got -1", x, np.array([[-1]]))
    check_refused(gather, IndexError, "from 0 to 4, got 5", x, np.array([[5]]))
    check_refused(gather, TypeError, "int32 or int64, got float32", x, np.zeros((1, 1), np.float32))
    check_refused(gather, TypeError, "int32 or int64, got uint8", x, np.zeros((1, 1), np.uint8))
    check_refused(gather, ValueError, r"got shape \(1,\)", x, np.array([0]))
    check_refused(gather, ValueError, "none longer but 1", x, np.zeros((5, 1), np.int64))
    check_refused(lambda t, x, i: x.gather(2, i), IndexError, "-2 to 1, got 2", x, np.array([[0]]))
    with pytest.raises(TypeError, match="got list"):
        nn.zeros(2).gather(0, [0])


@FLOATS
def test_scatter(dtype):
    x, source = X.astype(dtype), GENERATOR.normal(size=(2, 3, 4)).astype(dtype)
    check_same(lambda t, x, i: x.scatter(1, i, 1.5), x, ONCE)
    check_same(lambda t, x, i: t.scatter(x, -2, i, value=2), x, ONCE)
    check_same(lambda t, x, i, s: x.scatter(1, i, s), x, ONCE, source)
    check_same(lambda t, x, i, s: t.scatter(x, 1, i, s.detach()), x, ONCE, source)
    check_same(lambda t, x, i, s: (x * x).scatter_(1, i, s), x, ONCE, source)
    check_same(lambda t, x, i: (x * 2).scatter_(1, i, 3), x, ONCE)
    row = np.array([3, 1])
    check_same(lambda t, x, i, s: x.scatter(0, i, s), x[0, 0], row, source[0, 0, :2])


@FLOATS
def test_scatter_add(dtype):
    x, source = X.astype(dtype), GENERATOR.normal(size=(2, 3, 4)).astype(dtype)
    for dim, index in ALONG.items():
        check_same(lambda t, x, i, s, d=dim: x.scatter_add(d, i, s), x, index, source)
        check_same(lambda t, x, i, s, d=dim: t.scatter_add(x, d, i, s * s), x, index, source)
        check_same(lambda t, x, i, s, d=dim: (x * 2).scatter_add_(d, i, s), x, index, source)
    check_same(
        lambda t, x, s: x.scatter_add(0, t.tensor(0), s), np.ones((), dtype), np.ones((), dtype)
    )


@pytest.mark.filterwarnings("ignore:The reduce argument")
def test_scatter_where_places_repeat():
    index, source = np.array([1, 1, 0]), np.array([5.0, 6.0, 7.0])
    for reduce in ({}, {"reduce": "add"}, {"reduce": "multiply"}):
        check_same(
            lambda t, x, i, s, r=reduce: x.detach().scatter(0, i, s.detach(), **r),
            np.full(3, 2.0),
            index,
            source,
        )
        check_same(lambda t, x, i, r=reduce: x.scatter(0, i, 3, **r), np.full(3, 2), index)
    check_same(lambda t, x, i, s: x.scatter_add(0, i, s), np.arange(3), index, np.arange(3))


def test_scatter_of_nothing_and_without_axes():
    none = np.zeros(0, np.int64)
    check_same(lambda t, x, i, s: x.scatter(0, i, s.detach()), np.ones(3), none, np.ones(2))
    check_same(lambda t, x, i: x.scatter(0, i, 1), np.zeros(0), none)
    check_same(lambda t, x, i, s: x.scatter(0, i, s), np.array(1.0), np.array(0), np.array(2.0))
    x = nn.zeros(2, 3)
    assert x.scatter_(1, nn.tensor([[2], [0]]), 1) is x
    assert x.tolist() == [[0, 0, 1], [1, 0, 0]]


def test_the_gradient_of_a_longer_source():
    """0 where nothing was read; PyTorch has none."""
    source = nn.ones(2, 3, requires_grad=True)
    nn.zeros(2, 2).scatter(1, nn.tensor([[1], [0]]), source).sum().backward()
    assert source.grad.tolist() == [[1, 0, 0], [1, 0, 0]]


def test_scatter_refuses():
    x, index, source = X[0], np.zeros((2, 2), np.int64), np.ones((2, 1))

    def scatter(t, x, i, s):
        return x.scatter(1, i, s)

    check_refused(scatter, ValueError, r"index \(2, 2\), got \(2, 1\)", x, index, source)
    check_refused(scatter, ValueError, r"index \(2, 2\), got \(4,\)", x, index, np.ones(4))
    check_refused(
        scatter,
        TypeError,
        "src of dtype float64, got float32",
        x,
        index,
        np.ones((2, 2), np.float32),
    )
    check_refused(lambda t, x, i: x.scatter(1, i, 1, reduce="mean"), ValueError, "'mean'", x, index)
    check_refused(lambda t, x, i: x.scatter(1, i, [1]), TypeError, "got list", x, index)
    check_refused(lambda t, x, i: x.scatter_add(1, i, 1), TypeError, "got int", x, index)
    check_refused(lambda t, x, i: x.scatter_(1, i, 1), RuntimeError, "a leaf", x, index)
    with pytest.raises(RuntimeError, match="without gradients for 'multiply'"):
        nn.ones(1, requires_grad=True).scatter(0, nn.tensor([0]), 2, reduce="multiply")


@FLOATS
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_index_select(dtype, dim):
    x = X.astype(dtype)
    for index in (np.array([2, 0, 2, 2]), np.array([1], np.int32), np.array(1), np.zeros(0, int)):
        check_same(lambda t, x, i: x.index_select(dim, i), x, index)
        check_same(lambda t, x, i: t.index_select(x.transpose(0, 2), dim, i), x, index)
    check_same(
        lambda t, x, i: x.index_select(dim=0, index=i), x[0, 0, :1].reshape(()), np.array([0])
    )
    check_same(lambda t, x, i: x.index_select(1, i), np.zeros((0, 3), dtype), np.array([2, 1]))


def test_index_select_refuses():
    def select(t, x, i):
        return x.index_select(0, i)

    check_refused(select, IndexError, "from 0 to 2, got 3", X, np.array([0, 3]))
    check_refused(select, IndexError, "from 0 to 2, got -1", X, np.array([-1]))
    check_refused(select, ValueError, r"one axis, got shape \(1, 1\)", X, np.array([[0]]))
    check_refused(select, TypeError, "int32 or int64, got float64", X, np.array([0.0]))
    check_refused(select, ValueError, "one axis", np.array(1.0), np.array([0, 0]))
