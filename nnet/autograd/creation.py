"""New tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import random
from .shaping import sizes_of
from .tensor import Tensor, as_array

__all__ = [
    "tensor",
    "from_numpy",
    "zeros",
    "ones",
    "full",
    "empty",
    "zeros_like",
    "ones_like",
    "arange",
    "rand",
    "randn",
]


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
    """A tensor on the array's own memory.

    >>> import numpy as np, nnet as nn
    >>> array = np.zeros(2)
    >>> x = nn.from_numpy(array)
    >>> array[0] = 1
    >>> x
    tensor([1., 0.], dtype=float64)
    """
    return Tensor(array)


def zeros(*size: Any, dtype: npt.DTypeLike = np.float32, requires_grad: bool = False) -> Tensor:
    """Zeros, in sizes one by one or in a tuple.

    >>> import nnet as nn
    >>> nn.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    return Tensor(np.zeros(sizes_of(size), dtype), requires_grad)


def ones(*size: Any, dtype: npt.DTypeLike = np.float32, requires_grad: bool = False) -> Tensor:
    """Ones, in sizes one by one or in a tuple.

    >>> import nnet as nn
    >>> nn.ones(2, dtype=nn.int64)
    tensor([1, 1])
    """
    return Tensor(np.ones(sizes_of(size), dtype), requires_grad)


def full(size: Any, fill_value: Any, dtype: npt.DTypeLike | None = None) -> Tensor:
    """`fill_value` everywhere, in the dtype that `tensor` gives it.

    >>> import nnet as nn
    >>> nn.full((2, 2), 0.5)
    tensor([[0.5, 0.5],
            [0.5, 0.5]])
    """
    if isinstance(fill_value, Tensor) and fill_value.requires_grad:
        raise TypeError("full: expected fill_value as a number, got a tensor that needs a gradient")
    return Tensor(np.full(size, fill_value, as_array(fill_value).dtype if dtype is None else dtype))


def empty(*size: Any, dtype: npt.DTypeLike = np.float32) -> Tensor:
    """Values undefined: to be written before they are read.

    >>> import nnet as nn
    >>> nn.empty(2, 3).shape
    (2, 3)
    """
    return Tensor(np.empty(sizes_of(size), dtype))


def zeros_like(like: Tensor) -> Tensor:
    """Zeros of its shape and dtype.

    >>> import nnet as nn
    >>> nn.zeros_like(nn.tensor([[1.0, 2.0]]))
    tensor([[0., 0.]])
    """
    return Tensor(np.zeros(like.shape, like.dtype))


def ones_like(like: Tensor) -> Tensor:
    """Ones of its shape and dtype.

    >>> import nnet as nn
    >>> nn.ones_like(nn.tensor([[1, 2]]))
    tensor([[1, 1]])
    """
    return Tensor(np.ones(like.shape, like.dtype))


def arange(
    start: float, end: float | None = None, step: float = 1, *, dtype: npt.DTypeLike | None = None
) -> Tensor:
    """Numbers from start to below end, or from 0 to below start; float32 if one of them is a float.

    Raises ValueError for a step of 0, one that leads away from end, and what is not finite.

    >>> import nnet as nn
    >>> nn.arange(3, 0, -1)
    tensor([3, 2, 1])
    """
    if end is None:
        start, end = 0, start
    given = [each.item() if isinstance(each, Tensor) else each for each in (start, end, step)]
    if not all(math.isfinite(each) for each in given):
        raise ValueError(f"arange: expected finite numbers, got {given}")
    if dtype is not None and np.dtype(dtype).kind != "f":
        given = [int(each) for each in given]
    first, last, by = given
    if by == 0 or (last - first) * by < 0:
        raise ValueError(f"arange: expected a step that leads from {first} to {last}, got {by}")
    numbers = np.arange(first, last, by)
    if dtype is None and numbers.dtype.kind == "f":
        dtype = np.float32
    return Tensor(numbers if dtype is None else numbers.astype(dtype, copy=False))


def rand(*size: Any, dtype: Any = np.float32, requires_grad: bool = False) -> Tensor:
    """Uniform on [0, 1).

    >>> import nnet as nn
    >>> x = nn.rand(2, 3)
    >>> x.shape, 0 <= x.min().item() <= x.max().item() < 1
    ((2, 3), True)
    """
    return Tensor(random.generator().random(sizes_of(size), dtype), requires_grad)


def randn(*size: Any, dtype: Any = np.float32, requires_grad: bool = False) -> Tensor:
    """Normal with mean 0 and variance 1.

    >>> import nnet as nn
    >>> x = nn.randn(10_000)
    >>> abs(x.mean().item()) < 0.1, abs(x.std().item() - 1) < 0.1
    (True, True)
    """
    return Tensor(random.generator().standard_normal(sizes_of(size), dtype), requires_grad)
