"""ReLU, sigmoid and tanh of every element of an array of any shape.

`<name>_forward(x)` returns `(y, Saved)`, `<name>_backward(dy, saved)` returns dx. Arrays are
float32 or float64; TypeError for others, ValueError for a dy of another shape than y. NaN in is
NaN out.
"""

from collections.abc import Callable
from types import ModuleType
from typing import NamedTuple

import numpy as np

from .. import _memory
from .._check import float_arrays
from . import cpu, reference

IMPLEMENTATIONS: dict[str, ModuleType] = {"reference": reference, "cpu": cpu}


class Saved(NamedTuple):
    """All three gradients follow from the output."""

    y: np.ndarray


def relu_forward(x: np.ndarray) -> tuple[np.ndarray, Saved]:
    """Return max(x, 0).

    >>> import numpy as np
    >>> from kernels import activation
    >>> activation.relu_forward(np.array([-1.0, 0.0, 2.0]))[0]
    array([0., 0., 2.])
    """
    return _forward("relu", cpu.relu_forward, x)


def relu_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dy where y > 0, else 0."""
    return _backward("relu", cpu.relu_backward, dy, saved)


def sigmoid_forward(x: np.ndarray) -> tuple[np.ndarray, Saved]:
    """Return 1 / (1 + e^-x).

    >>> import numpy as np
    >>> from kernels import activation
    >>> activation.sigmoid_forward(np.array([-1000.0, 0.0, 1000.0]))[0]
    array([0. , 0.5, 1. ])
    """
    return _forward("sigmoid", cpu.sigmoid_forward, x)


def sigmoid_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dy y (1 - y)."""
    return _backward("sigmoid", cpu.sigmoid_backward, dy, saved)


def tanh_forward(x: np.ndarray) -> tuple[np.ndarray, Saved]:
    """Return the hyperbolic tangent.

    >>> import numpy as np
    >>> from kernels import activation
    >>> activation.tanh_forward(np.array([-1000.0, 0.0, 1000.0]))[0]
    array([-1.,  0.,  1.])
    """
    return _forward("tanh", cpu.tanh_forward, x)


def tanh_backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dy (1 - y^2)."""
    return _backward("tanh", cpu.tanh_backward, dy, saved)


def _forward(name: str, kernel: Callable, x: np.ndarray) -> tuple[np.ndarray, Saved]:
    (x,) = float_arrays(name, x=x)
    y = _memory.empty(x.shape, x.dtype)
    if x.size:
        kernel(x=x.reshape(-1), out_y=y.reshape(-1))
    return y, Saved(y)


def _backward(name: str, kernel: Callable, dy: np.ndarray, saved: Saved) -> np.ndarray:
    y, dy = float_arrays(name, y=saved.y, dy=dy)
    if dy.shape != y.shape:
        raise ValueError(f"{name}: expected dy of shape {y.shape}, got {dy.shape}")
    dx = _memory.empty(y.shape, y.dtype)
    if y.size:
        kernel(dy=dy.reshape(-1), y=y.reshape(-1), out_dx=dx.reshape(-1))
    return dx
