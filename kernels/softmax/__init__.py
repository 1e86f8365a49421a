"""Softmax along an axis, y = e^x / sum(e^x), and its logarithm, x - log(sum(e^x)).

`forward(x, axis)` returns `(y, Saved)`, `backward(dy, saved)` returns dx. Every sum is taken of
e^(x - max), so nothing overflows; -inf has probability 0, and a line of nothing else is NaN, as is
one with a NaN.
"""

import math
from typing import NamedTuple

import numpy as np

from kernels import _memory
from kernels._check import check_shape, float_arrays
from kernels._device import Implementations, device_of
from kernels.softmax import cpu, reference

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)


class Saved(NamedTuple):
    y: np.ndarray
    axis: int
    log: bool


def forward(x: np.ndarray, axis: int, *, log: bool = False) -> tuple[np.ndarray, Saved]:
    """Return softmax of x along `axis`, or its logarithm; x has any shape of at least one axis.

    Raises TypeError for other dtypes than float32 and float64, ValueError for an axis that x does
    not have.

    >>> import numpy as np
    >>> from kernels import softmax
    >>> softmax.forward(np.array([[0.0, 0.0], [0.0, 1000.0]]), axis=1)[0]
    array([[0.5, 0.5],
           [0. , 1. ]])
    """
    (x,) = float_arrays("softmax", x=x)
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"softmax: expected axis from {-x.ndim} to {x.ndim - 1}, got {axis}")
    y = _memory.empty(x.shape, x.dtype)
    if x.size:
        shape = _lines(x.shape, axis)
        IMPLEMENTATIONS[device_of(x)].forward(x=x.reshape(shape), log=log, out_y=y.reshape(shape))
    return y, Saved(y, axis, log)


def backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return y (dy - sum(dy y)), or dy - e^y sum(dy) for the logarithm."""
    y, dy = float_arrays("softmax", y=saved.y, dy=dy)
    check_shape("softmax", "dy", dy, y.shape)
    dx = _memory.empty(y.shape, y.dtype)
    if y.size:
        shape = _lines(y.shape, saved.axis)
        IMPLEMENTATIONS[device_of(dy)].backward(
            dy=dy.reshape(shape), y=y.reshape(shape), log=saved.log, out_dx=dx.reshape(shape)
        )
    return dx


def _lines(shape: tuple[int, ...], axis: int) -> tuple[int, int, int]:
    """(outer, length, inner): lines of `length` elements that are `inner` apart."""
    axis %= len(shape)
    return math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])
