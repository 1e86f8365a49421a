"""Sines and cosines against PyTorch's."""

import numpy as np
import pytest

from .against_torch import check_same

X = np.random.default_rng(0).normal(0, 3, (2, 3, 5))
NAMES = pytest.mark.parametrize("name", ["sin", "cos", "sinh", "cosh"])


@NAMES
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_and_gradients(name, dtype):
    for x in (X, X.T, X[:, ::2], X[0, 0, 0].reshape(()), np.zeros((0, 3))):
        x = x.astype(dtype)
        check_same(lambda t, x: getattr(t, name)(x), x)
        check_same(lambda t, x: getattr(x * 0.5, name)(), x)
        check_same(lambda t, x: getattr(x.detach(), name)(), x)


@NAMES
def test_edges(name):
    check_same(lambda t, x: getattr(x, name)(), np.array([0.0, -0.0, np.inf, -np.inf, np.nan]))
    for dtype in (np.int64, np.int32, np.uint8, np.bool_):
        check_same(lambda t, x: getattr(x, name)(), np.array([0, 1, 1], dtype))
