"""Operators of bits, for integers and bool, and questions about numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .broadcasting import arrays
from .in_place import overwrite
from .operand import Operand, R

__all__ = ["isnan", "isinf", "isfinite"]


class Logic(Operand[R]):
    """Without gradients. Operators of bits raise TypeError for floats."""

    __slots__ = ()

    def isnan(self) -> R:
        """Where elements are NaN, a tensor of bool.

        >>> import nnet as nn
        >>> nn.isnan(nn.tensor([1.0, float("nan")]))
        tensor([False,  True])
        """
        return self._record(np.isnan(self.data), ())

    def isinf(self) -> R:
        """Where elements are infinite, of either sign, a tensor of bool.

        >>> import nnet as nn
        >>> nn.isinf(nn.tensor([1.0, float("-inf")]))
        tensor([False,  True])
        """
        return self._record(np.isinf(self.data), ())

    def isfinite(self) -> R:
        """Where elements are neither infinite nor NaN, a tensor of bool.

        >>> import nnet as nn
        >>> nn.isfinite(nn.tensor([1.0, float("inf"), float("nan")]))
        tensor([ True, False, False])
        """
        return self._record(np.isfinite(self.data), ())

    def __invert__(self) -> R:
        return self._record(~self.data, ())

    def __and__(self, other: Any) -> R:
        return _bitwise("&", self, other, np.bitwise_and)

    def __or__(self, other: Any) -> R:
        return _bitwise("|", self, other, np.bitwise_or)

    def __xor__(self, other: Any) -> R:
        return _bitwise("^", self, other, np.bitwise_xor)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __iand__(self, other: Any) -> R:
        return overwrite("&=", self, lambda old: old & other)

    def __ior__(self, other: Any) -> R:
        return overwrite("|=", self, lambda old: old | other)

    def __ixor__(self, other: Any) -> R:
        return overwrite("^=", self, lambda old: old ^ other)


isnan, isinf, isfinite = Logic.isnan, Logic.isinf, Logic.isfinite


def _bitwise(name: str, tensor: Operand[R], other: Any, ufunc: Callable) -> R:
    x, y = arrays(tensor, other)
    if x.dtype.kind == "f":
        raise TypeError(f"{name}: expected integers or bool, got {x.dtype}")
    return tensor._record(ufunc(x, y), ())
