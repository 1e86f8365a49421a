"""tril and triu against PyTorch's."""

import numpy as np
import pytest

from .against_torch import check_refused, check_same

X = np.random.default_rng(0).normal(size=(2, 3, 5))
NAMES = pytest.mark.parametrize("name", ["tril", "triu"])


@NAMES
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("diagonal", [0, 1, -1, 4, -2, 9, -9])
def test_triangles(name, dtype, diagonal):
    x = X.astype(dtype)
    check_same(lambda t, x: getattr(x, name)(diagonal), x)
    check_same(lambda t, x: getattr(t, name)(x[0] * 2, diagonal=diagonal), x)
    check_same(lambda t, x: getattr(t, name)(x.transpose(0, 2), diagonal), x)


@NAMES
@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.bool_])
def test_triangles_of_integers(name, dtype):
    check_same(lambda t, x: getattr(t, name)(x), np.ones((4, 3), dtype))
    check_same(lambda t, x: getattr(t, name)(x.detach(), 1), np.full((3, 3), np.inf))


@NAMES
@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (0, 2, 2), (1, 1)])
def test_triangles_of_nothing(name, shape):
    check_same(lambda t, x: getattr(t, name)(x), np.ones(shape))


@NAMES
def test_triangles_refuse(name):
    def call(t, x):
        return getattr(x, name)()

    check_refused(call, ValueError, r"2 axes, got shape \(3,\)", np.ones(3))
    check_refused(call, ValueError, r"2 axes, got shape \(\)", np.ones(()))
    check_refused(lambda t, x: getattr(x, name)(0.5), TypeError, "got 0.5", np.ones((2, 2)))
