"""PyTorch's older functions of new tensors, one for each dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

from .integers import is_integer
from .tensor import Tensor

__all__ = ["FloatTensor", "DoubleTensor", "LongTensor", "IntTensor", "ByteTensor", "BoolTensor"]


def FloatTensor(*given: Any) -> Tensor:
    """Values of float32 from a list, a tuple or an array; undefined ones from sizes one by one.

    A shape is a tuple here, and so taken for values: `empty(x.shape)` is right for that.
    Raises TypeError for a single float, and for a tensor of another dtype.

    >>> import nnet as nn
    >>> nn.FloatTensor([1, 2]), nn.FloatTensor(2, 3).shape
    (tensor([1., 2.]), (2, 3))
    """
    return _new("FloatTensor", np.float32, given)


def DoubleTensor(*given: Any) -> Tensor:
    """As `FloatTensor`, of float64.

    >>> import nnet as nn
    >>> nn.DoubleTensor([1, 2])
    tensor([1., 2.], dtype=float64)
    """
    return _new("DoubleTensor", np.float64, given)


def LongTensor(*given: Any) -> Tensor:
    """As `FloatTensor`, of int64; floats in a list are cut off.

    >>> import nnet as nn
    >>> nn.LongTensor([1, 2])
    tensor([1, 2])
    """
    return _new("LongTensor", np.int64, given)


def IntTensor(*given: Any) -> Tensor:
    """As `FloatTensor`, of int32.

    >>> import nnet as nn
    >>> nn.IntTensor([1, 2])
    tensor([1, 2], dtype=int32)
    """
    return _new("IntTensor", np.int32, given)


def ByteTensor(*given: Any) -> Tensor:
    """As `FloatTensor`, of uint8.

    >>> import nnet as nn
    >>> nn.ByteTensor([0, 255])
    tensor([  0, 255], dtype=uint8)
    """
    return _new("ByteTensor", np.uint8, given)


def BoolTensor(*given: Any) -> Tensor:
    """As `FloatTensor`, of bool.

    >>> import nnet as nn
    >>> nn.BoolTensor([1, 0])
    tensor([ True, False])
    """
    return _new("BoolTensor", np.bool_, given)


def _new(name: str, dtype: Any, given: tuple) -> Tensor:
    if all(is_integer(each) for each in given):
        return Tensor(np.empty(given or (0,), dtype))
    values = given[0]
    if len(given) > 1 or not isinstance(values, list | tuple | np.ndarray | Tensor):
        kinds = ", ".join(type(each).__name__ for each in given)
        raise TypeError(f"{name}: expected sizes, or values in a list or an array, got {kinds}")
    if isinstance(values, Tensor):
        if values.data.dtype != dtype:
            raise TypeError(
                f"{name}: expected a tensor of {np.dtype(dtype)}, got {values.data.dtype}; "
                f"x.type(nn.{name}) changes it"
            )
        return Tensor(values.data)
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name}: expected numbers, got {array.dtype}")
    return Tensor(array.astype(dtype))
