"""New tensors of random numbers, which all follow from `manual_seed`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..random import generator
from .broadcasting import common, in_dtype, tensor_or_none, wanted
from .casting import check_device
from .creation import shape_of
from .integers import as_integer
from .tensor import Tensor

__all__ = ["rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial"]

bernoulli, multinomial = Tensor.bernoulli, Tensor.multinomial


def rand(
    *sizes: Any,
    size: Sequence[int] | None = None,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform on [0, 1).

    >>> import nnet as nn
    >>> x = nn.rand(2, 3)
    >>> x.shape, 0 <= x.min().item() <= x.max().item() < 1
    ((2, 3), True)
    """
    check_device("rand", device)
    values = generator().random(shape_of(sizes, size), _of_floats("rand", dtype))
    return Tensor(values, requires_grad)


def randn(
    *sizes: Any,
    size: Sequence[int] | None = None,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal with mean 0 and variance 1.

    >>> import nnet as nn
    >>> x = nn.randn(10_000)
    >>> abs(x.mean().item()) < 0.1, abs(x.std().item() - 1) < 0.1
    (True, True)
    """
    check_device("randn", device)
    values = generator().standard_normal(shape_of(sizes, size), _of_floats("randn", dtype))
    return Tensor(values, requires_grad)


def randint(
    low: int = 0,
    high: Any = None,
    size: Sequence[int] | None = None,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Integers from low to below high, each as likely; `randint(high, size)` starts from 0.

    Raises ValueError unless low < high, and for bounds that the dtype does not hold.

    >>> import nnet as nn
    >>> x = nn.randint(1, 7, (100,))
    >>> x.min().item() >= 1, x.max().item() <= 6, x.dtype
    (True, True, dtype('int64'))
    """
    check_device("randint", device)
    if size is None:
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if not isinstance(size, tuple | list):
        raise TypeError(f"randint: expected size as a tuple of integers, got {size!r}")
    dtype = np.dtype(dtype or np.int64)
    first, end = integer_bounds("randint", low, high, dtype)
    return Tensor(generator().integers(first, end, size).astype(dtype), requires_grad)


def randperm(
    n: int,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The integers from 0 to below n, in an order of which each is as likely.

    >>> import nnet as nn
    >>> sorted(nn.randperm(4).tolist())
    [0, 1, 2, 3]
    """
    check_device("randperm", device)
    count = as_integer(n)
    if count is None:
        raise TypeError(f"randperm: expected an integer n, got {n!r}")
    if count < 0:
        raise ValueError(f"randperm: expected n >= 0, got {count}")
    order = generator().permutation(count)
    return Tensor(order.astype(dtype or np.int64), requires_grad)


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Sequence[int] | None = None,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal with that mean and standard deviation: of numbers and a size, or of tensors.

    Tensors give each element its own; their gradient is 0. Raises ValueError for std below 0.

    >>> import nnet as nn
    >>> nn.normal(0.0, 0.02, size=(2, 3)).shape, nn.normal(nn.zeros(4), 1.0).shape
    ((2, 3), (4,))
    """
    check_device("normal", device)
    given = [tensor_or_none(mean), tensor_or_none(std)]
    of_tensors = any(each is not None for each in given)
    if of_tensors == (size is not None):
        raise TypeError("normal: expected a size with numbers, and none with tensors")
    floats = _of_floats("normal", common(mean, std) if of_tensors else dtype)
    middle, spread = in_dtype(mean, floats), in_dtype(std, floats)
    if (spread < 0).any():
        raise ValueError(f"normal: expected std >= 0, got {spread.min()}")
    shape = np.broadcast_shapes(middle.shape, spread.shape) if size is None else tuple(size)
    values = middle + spread * generator().standard_normal(shape, floats)
    shapes = wanted(mean), wanted(std)

    def backward(dy: np.ndarray) -> list[np.ndarray | None]:
        return [None if each is None else np.zeros(each, dy.dtype) for each in shapes]

    result: Tensor = Tensor._record(np.asarray(values, floats), given, backward)
    return result.requires_grad_() if requires_grad else result


def integer_bounds(op: str, low: Any, high: Any, dtype: np.dtype) -> tuple[int, int]:
    """Both as integers, low < high, of numbers that the dtype holds."""
    first, end = as_integer(low), as_integer(high)
    if first is None or end is None:
        raise TypeError(f"{op}: expected integers as bounds, got {low!r} and {high!r}")
    if first >= end:
        raise ValueError(f"{op}: expected low < high, got {first} and {end}")
    if dtype.kind in "iub":
        limits = np.iinfo(np.uint8 if dtype.kind == "b" else dtype)
        least, most = (0, 1) if dtype.kind == "b" else (limits.min, limits.max)
        if first < least or end - 1 > most:
            raise ValueError(
                f"{op}: expected bounds that {dtype} holds, {least} to {most}, "
                f"got {first} to {end - 1}"
            )
    return first, end


def _of_floats(op: str, dtype: npt.DTypeLike | None) -> Any:
    """float32 if none is given; TypeError for others than float32 and float64."""
    found = np.dtype(np.float32 if dtype is None else dtype)
    if found.char not in "fd":
        raise TypeError(f"{op}: expected dtype float32 or float64, got {found}")
    return found
