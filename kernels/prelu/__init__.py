"""PReLU: x above 0, weight * x below, with a weight for each channel or one for all.

The slope is learned: dx = dy where x > 0, else weight * dy; dweight is the sum of dy x over x <= 0.
He et al. 2015.
"""

import math
from typing import NamedTuple

import numpy as np

from kernels import _memory
from kernels._check import check_shape, float_arrays
from kernels._device import Implementations, device_of
from kernels.prelu import cpu, reference

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)


class Saved(NamedTuple):
    x: np.ndarray
    weight: np.ndarray


def forward(x: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, Saved]:
    """Return y of x's shape.

    x       (N, C, ...), or any shape for a weight of one element
    weight  (C,) or (1,)

    Raises TypeError for other dtypes than float32 and float64, or mixed ones; ValueError for a
    weight that does not fit.

    >>> import numpy as np
    >>> from kernels import prelu
    >>> prelu.forward(np.array([[-1.0, -1.0, 2.0]]), np.array([0.25, 0.5, 0.5]))[0]
    array([[-0.25, -0.5 ,  2.  ]])
    """
    x, weight = float_arrays("prelu", x=x, weight=weight)
    channels = x.shape[1] if x.ndim > 1 else 1
    if weight.shape not in ((1,), (channels,)):
        raise ValueError(
            f"prelu: expected weight of shape (1,) or ({channels},), got {weight.shape}"
        )
    y = _memory.empty(x.shape, x.dtype)
    if x.size:
        shape = _planes(x.shape, weight.size)
        IMPLEMENTATIONS[device_of(x)].forward(
            x=x.reshape(shape), weight=weight, out_y=y.reshape(shape)
        )
    return y, Saved(x, weight)


def backward(dy: np.ndarray, saved: Saved) -> tuple[np.ndarray, np.ndarray]:
    """Return dx and dweight."""
    x, weight, dy = float_arrays("prelu", x=saved.x, weight=saved.weight, dy=dy)
    check_shape("prelu", "dy", dy, x.shape)
    dx = _memory.empty(x.shape, x.dtype)
    dweight = np.zeros_like(weight)
    if x.size:
        shape = _planes(x.shape, weight.size)
        implementation, planes = IMPLEMENTATIONS[device_of(x)], x.reshape(shape)
        implementation.backward(
            dy=dy.reshape(shape),
            x=planes,
            weight=weight,
            **_memory.scratch(implementation.backward_scratch(planes)),
            out_dx=dx.reshape(shape),
            out_dweight=dweight,
        )
    return dx, dweight


def _planes(shape: tuple[int, ...], weights: int) -> tuple[int, int, int]:
    """(N, C, what shares a weight)."""
    if weights == 1:
        return 1, 1, math.prod(shape)
    return shape[0], shape[1], math.prod(shape[2:])
