"""erf, log1p and clamp against PyTorch's."""

import numpy as np
import pytest

import nnet as nn

from .against_torch import check_refused, check_same

X, LOW, HIGH = np.random.default_rng(0).normal(size=(3, 3, 4))
FLOATS = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@FLOATS
@pytest.mark.parametrize("name", ["erf", "log1p"])
def test_values_and_gradients(name, dtype):
    small = np.array([1e-7, -1e-7, 0.0, -0.0, 3.0, -0.5, 20.0])
    for x in (np.abs(X), -np.abs(X.T) / 4, small, X[0, 0].reshape(()) ** 2, X[:0]):
        x = x.astype(dtype)
        check_same(lambda t, x: getattr(t, name)(x), x)
        check_same(lambda t, x: getattr(x * 0.5, name)(), x)
        check_same(lambda t, x: getattr(x.detach(), name)(), x)


@pytest.mark.parametrize("name", ["erf", "log1p"])
def test_edges(name):
    edges = np.array([-1.0, -2.0, np.inf, -np.inf, np.nan])
    check_same(lambda t, x: getattr(x.detach(), name)(), edges)
    for dtype in (np.int64, np.int32, np.uint8, np.bool_):
        check_same(lambda t, x: getattr(x, name)(), np.array([0, 1, 1], dtype))


@FLOATS
def test_clamp_between_tensors(dtype):
    x, low, high = (each.astype(dtype) for each in (X, LOW, HIGH))
    check_same(lambda t, x, a, b: x.clamp(a, b), x, low, high)
    check_same(lambda t, x, a, b: t.clamp(x, min=a, max=b), x, low[0], high[:, :1].copy())
    check_same(lambda t, x, a, b: x.transpose(0, 1).clamp(max=b[0, 0]) + a.sum(), x, low, high)
    check_same(lambda t, x, a: x.clamp(min=a), x, low)
    check_same(lambda t, x, a: x.detach().clamp(max=a), x, low)
    check_same(lambda t, x, a, b: x.clamp(a, b), x[:0], low[:0], high[:0])
    check_same(lambda t, x, a: x.clamp(min=a.detach()), x, low)


def test_clamp_where_bounds_are_met():
    x = np.array([-1.0, 0.0, 1.0, 2.0, 3.0, np.nan])
    for low, high in ((0.0, 2.0), (1.0, 1.0), (2.0, 0.0)):
        a, b = np.full(6, low), np.full(6, high)
        check_same(lambda t, x, a, b: x.clamp(a, b), x[:5], a[:5], b[:5])
        check_same(lambda t, x, a, b: x.detach().clamp(a.detach(), b.detach()), x, a, b)


def test_clamp_of_mixed_dtypes():
    whole = np.array([-3, 0, 5])
    check_same(lambda t, x, a: x.clamp(a), whole, np.array([-1.5, 0.5, 0.5], np.float32))
    check_same(lambda t, x, a: x.clamp(max=a), whole, np.array([1, 1, 1], np.int32))


@FLOATS
def test_clamp_in_place_between_tensors(dtype):
    x, low, high = (each.astype(dtype) for each in (X, LOW, HIGH))
    check_same(lambda t, x, a, b: (x * 2).clamp_(a, b), x, low, high)
    check_same(lambda t, x, a: x.detach().clamp_(max=a.detach()), x, low)
    check_same(lambda t, x, a: x.detach().clamp_(min=a), x, low)
    y = nn.tensor(x)
    assert y.clamp_(nn.tensor(low)) is y and (y.data >= low).all()


def test_clamp_refuses():
    check_refused(lambda t, x: x.clamp(), ValueError, "min or max, got neither", X)
    check_refused(lambda t, x: x.clamp(x[:2], None), ValueError, "broadcast", X)
