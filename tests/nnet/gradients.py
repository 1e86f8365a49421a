"""Gradients of the tape against central differences."""

from collections.abc import Callable

import numpy as np

import nnet as nn
from tests.helpers import assert_close, central_differences


def check_gradients(function: Callable, *points: np.ndarray, tolerance: float = 1e-7) -> None:
    """The gradient of every argument, of a weighted sum of what function returns, in float64."""
    points = tuple(np.asarray(point, np.float64) for point in points)
    tensors = [nn.Tensor(point.copy(), requires_grad=True) for point in points]
    output = function(*tensors)
    weights = np.random.default_rng(7).uniform(0.5, 1.5, output.shape)
    output.backward(nn.Tensor(weights))
    for i, tensor in enumerate(tensors):

        def value(moved: np.ndarray, i: int = i) -> float:
            arguments = [nn.Tensor(moved if j == i else point) for j, point in enumerate(points)]
            return float(np.sum(function(*arguments).data * weights))

        assert tensor.grad is not None, f"no gradient to argument {i}"
        assert tensor.grad.dtype == np.float64
        assert_close(tensor.grad.data, central_differences(value, points[i]), tolerance)
