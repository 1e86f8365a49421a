"""New tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .casting import check_device
from .shaping import sizes_of
from .tensor import Tensor, as_array

__all__ = [
    "tensor",
    "from_numpy",
    "zeros",
    "ones",
    "full",
    "empty",
]


def tensor(
    data: Any,
    dtype: npt.DTypeLike | None = None,
    requires_grad: bool = False,
    *,
    device: Any = None,
) -> Tensor:
    """A copy of `data`: numbers, nested lists or an array. Python's floats become float32.

    >>> import nnet as nn
    >>> nn.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    check_device("tensor", device)
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


def zeros(
    *sizes: Any,
    size: Sequence[int] | None = None,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Zeros, in sizes one by one or in a tuple.

    >>> import nnet as nn
    >>> nn.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    check_device("zeros", device)
    return Tensor(np.zeros(shape_of(sizes, size), dtype or np.float32), requires_grad)


def ones(
    *sizes: Any,
    size: Sequence[int] | None = None,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones, in sizes one by one or in a tuple.

    >>> import nnet as nn
    >>> nn.ones(2, dtype=nn.int64)
    tensor([1, 1])
    """
    check_device("ones", device)
    return Tensor(np.ones(shape_of(sizes, size), dtype or np.float32), requires_grad)


def full(
    size: Any,
    fill_value: Any,
    dtype: npt.DTypeLike | None = None,
    *,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`fill_value` everywhere, in the dtype that `tensor` gives that number.

    >>> import nnet as nn
    >>> nn.full((2, 2), 0.5)
    tensor([[0.5, 0.5],
            [0.5, 0.5]])
    >>> nn.full((2,), True)
    tensor([ True,  True])
    """
    check_device("full", device)
    number = number_of("full", fill_value)
    return Tensor(np.full(size, number, dtype or as_array(number).dtype), requires_grad)


def empty(
    *sizes: Any,
    size: Sequence[int] | None = None,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Values undefined: to be written before they are read.

    >>> import nnet as nn
    >>> nn.empty(2, 3).shape
    (2, 3)
    """
    check_device("empty", device)
    return Tensor(np.empty(shape_of(sizes, size), dtype or np.float32), requires_grad)


def shape_of(sizes: tuple, size: Sequence[int] | None) -> tuple[int, ...]:
    """Of sizes one by one or in a tuple, which may be given by name."""
    if size is None:
        return sizes_of(sizes)
    if sizes:
        raise TypeError(f"expected sizes once, got {sizes} and size={size}")
    return tuple(size)


def number_of(op: str, value: Any) -> Any:
    """A number, also of a tensor or an array without axes, as Python's."""
    if isinstance(value, Tensor) and value.requires_grad:
        raise TypeError(
            f"{op}: expected fill_value as a number, got a tensor that needs a gradient"
        )
    if np.ndim(value) or not isinstance(value, Tensor | np.ndarray | np.generic | int | float):
        raise TypeError(f"{op}: expected fill_value as a number, got {type(value).__name__}")
    return value.item() if isinstance(value, Tensor | np.ndarray | np.generic) else value
