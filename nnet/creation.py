"""New tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from . import random
from .shaping import sizes_of
from .tensor import Tensor, as_array


def tensor(data: Any, dtype: npt.DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """A copy of `data`: numbers, nested lists or an array. Python's floats become float32.

    >>> import nnet as nn
    >>> nn.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    array = as_array(data)
    return Tensor(np.array(array, array.dtype if dtype is None else dtype), requires_grad)


def from_numpy(array: np.ndarray) -> Tensor:
    """A tensor on the array's own memory."""
    return Tensor(array)


def zeros(*size: Any, dtype: npt.DTypeLike = np.float32, requires_grad: bool = False) -> Tensor:
    return Tensor(np.zeros(sizes_of(size), dtype), requires_grad)


def ones(*size: Any, dtype: npt.DTypeLike = np.float32, requires_grad: bool = False) -> Tensor:
    return Tensor(np.ones(sizes_of(size), dtype), requires_grad)


def full(size: Any, value: Any, dtype: npt.DTypeLike = np.float32) -> Tensor:
    return Tensor(np.full(size, value, dtype))


def empty(*size: Any, dtype: npt.DTypeLike = np.float32) -> Tensor:
    """Values undefined: to be written before they are read."""
    return Tensor(np.empty(sizes_of(size), dtype))


def zeros_like(like: Tensor) -> Tensor:
    return Tensor(np.zeros(like.shape, like.dtype))


def ones_like(like: Tensor) -> Tensor:
    return Tensor(np.ones(like.shape, like.dtype))


def arange(start: float, stop: float | None = None, step: float = 1) -> Tensor:
    """Numbers from start to below stop, or from 0 to below start."""
    numbers = np.arange(start, step=step) if stop is None else np.arange(start, stop, step)
    return Tensor(numbers if numbers.dtype.kind != "f" else numbers.astype(np.float32))


def rand(*size: Any, dtype: Any = np.float32, requires_grad: bool = False) -> Tensor:
    """Uniform on [0, 1)."""
    return Tensor(random.generator().random(sizes_of(size), dtype), requires_grad)


def randn(*size: Any, dtype: Any = np.float32, requires_grad: bool = False) -> Tensor:
    """Normal with mean 0 and variance 1."""
    return Tensor(random.generator().standard_normal(sizes_of(size), dtype), requires_grad)
