"""amax, amin, prod, cumsum, logsumexp and the methods softmax, log_softmax against PyTorch's."""

import numpy as np
import pytest

from .against_torch import check_refused, check_same

X = np.random.default_rng(0).normal(size=(3, 4, 5))
TIES = np.array([[1.0, 3.0, 3.0], [0.0, 0.0, 0.0], [0.0, 2.0, 3.0], [0.0, -1.0, 0.0]])
FLOATS = pytest.mark.parametrize("dtype", [np.float32, np.float64])
INF = np.inf


@FLOATS
@pytest.mark.parametrize("name", ["amax", "amin", "logsumexp"])
@pytest.mark.parametrize("dim", [0, -1, (0, 2), [1], [0, 1, 2]])
def test_reductions(name, dim, dtype):
    x = X.astype(dtype)
    check_same(lambda t, x: getattr(x, name)(dim), x)
    check_same(lambda t, x: getattr(t, name)(x.transpose(0, 2), dim, keepdim=True), x)
    check_same(lambda t, x: getattr(x, name)(axis=dim, keepdims=True), x)


@FLOATS
@pytest.mark.parametrize("name", ["amax", "amin"])
def test_extremes_share_their_gradient(name, dtype):
    x = TIES.astype(dtype)
    check_same(lambda t, x: getattr(x, name)(), x)
    check_same(lambda t, x: getattr(x, name)(1), x)
    check_same(lambda t, x: getattr(x, name)((), True), x)
    check_same(lambda t, x: getattr(x, name)(0), x[0, 0].reshape(()))
    for other in (TIES > 0, TIES.astype(np.int32), TIES.astype(np.uint8)):
        check_same(lambda t, x: getattr(x, name)(1), other)
    check_same(lambda t, x: getattr(x, name)(1), np.zeros((0, 3)))
    check_refused(
        lambda t, x: getattr(x, name)(0), ValueError, r"got shape \(0, 3\)", np.zeros((0, 3))
    )
    check_refused(lambda t, x: getattr(x, name)(2), IndexError, "-2 to 1, got 2", x)


def test_nan_is_an_extreme():
    check_same(lambda t, x: x.detach().amax(0), np.array([1.0, np.nan]))
    check_same(lambda t, x: x.detach().amin(0), np.array([1.0, np.nan]))


@FLOATS
@pytest.mark.parametrize("x", [X[0, :2], TIES, TIES[1:2], TIES[0]])
def test_prod(x, dtype):
    x = x.astype(dtype)
    check_same(lambda t, x: x.prod(), x)
    check_same(lambda t, x: t.prod(x, 0), x)
    check_same(lambda t, x: x.prod(-1, True), x)
    check_same(lambda t, x: x.prod(axis=-1, keepdims=True, dtype=t.float64), x)
    check_same(lambda t, x: (x.T if x.ndim == 2 else x).prod(0), x)


def test_prod_of_others():
    for x in (np.arange(1, 4, dtype=np.int32), TIES > 0, np.array(3), np.array([200, 3], np.uint8)):
        check_same(lambda t, x: x.prod(), x)
        check_same(lambda t, x: x.prod(0, dtype=t.float32), x)
    for x in (np.zeros((0, 3)), np.array(2.0)):
        check_same(lambda t, x: x.prod(), x)
        check_same(lambda t, x: x.prod(0), x)
        check_same(lambda t, x: x.prod(0, True), x)
    check_refused(lambda t, x: x.prod((0, 1)), TypeError, "integer", X)
    check_refused(lambda t, x: x.prod(3), IndexError, "-3 to 2, got 3", X)


@FLOATS
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_cumsum(dim, dtype):
    x = X.astype(dtype)
    check_same(lambda t, x: x.cumsum(dim), x)
    check_same(lambda t, x: t.cumsum(x.transpose(0, 1) * 2, dim=dim), x)
    check_same(lambda t, x: x.cumsum(axis=dim, dtype=t.float64), x)
    check_same(lambda t, x: x.cumsum(dim), np.zeros((0, 3), dtype))


def test_cumsum_of_others():
    for x in (np.arange(4, dtype=np.int32), TIES > 0, np.array([200, 200], np.uint8), np.array(3)):
        check_same(lambda t, x: x.cumsum(0), x)
        check_same(lambda t, x: x.cumsum(-1, dtype=t.float32), x)
        check_same(lambda t, x: x.cumsum(0, dtype=t.int32), x)
    check_same(lambda t, x: x.cumsum(0), np.array(2.0))
    check_refused(lambda t, x: x.cumsum(3), IndexError, "-3 to 2, got 3", X)
    check_refused(lambda t, x: x.cumsum(), TypeError, "dim", X)


def test_logsumexp_of_extremes():
    for x in (np.array([1e4, 1e4]), np.array([-INF, 1.0]), np.array(2.0), np.array([-1e4, -2e4])):
        check_same(lambda t, x: x.logsumexp(0), x)
    for x in (np.array([INF, 1.0]), np.array([-INF, -INF]), np.array([np.nan, 1.0])):
        check_same(lambda t, x: x.detach().logsumexp(0), x)
    check_same(lambda t, x: x.logsumexp(1), np.zeros((2, 0)))
    check_same(lambda t, x: x.logsumexp(0), np.zeros((2, 0)))
    check_same(lambda t, x: x.logsumexp(0), np.arange(3))
    check_refused(lambda t, x: x.logsumexp(3), IndexError, "-3 to 2, got 3", X)


@FLOATS
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_softmax(name, dim, dtype):
    x = X.astype(dtype)
    check_same(lambda t, x: getattr(x, name)(dim), x)
    check_same(lambda t, x: getattr(x.transpose(0, 2), name)(dim=dim), x)
    check_same(lambda t, x: getattr(x, name)(dim, t.float64), x)
    check_same(lambda t, x: getattr(x, name)(axis=dim, dtype=t.float32), x.astype(np.float32))
    check_same(lambda t, x: getattr(x, name)(dim), np.zeros((0, 3), dtype))
    check_same(lambda t, x: getattr(x, name)(-1), np.array(2.0, dtype))
    check_same(lambda t, x: getattr(x, name)(0, t.float64), np.arange(3))
    check_refused(lambda t, x: getattr(x, name)(0), TypeError, "got int64", np.arange(3))
    check_refused(lambda t, x: getattr(x, name)(3), IndexError, "-3 to 2, got 3", x)
    check_refused(lambda t, x: getattr(x, name)(), TypeError, "dim", x)
