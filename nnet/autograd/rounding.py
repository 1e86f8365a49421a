"""Tensor methods that round to whole numbers, and division that does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .broadcasting import arrays, fit, quiet, tensor_or_none, wanted
from .in_place import overwrite
from .operand import Operand, R

__all__ = ["ceil", "floor", "floor_divide", "remainder"]


class Rounding(Operand[R]):
    """Dtypes stay. Raises TypeError for bool, ZeroDivisionError for integers divided by 0."""

    __slots__ = ()

    def ceil(self) -> R:
        """The smallest whole number not below each element; gradient 0.

        >>> import nnet as nn
        >>> nn.ceil(nn.tensor([-1.5, 0.5, 2.0]))
        tensor([-1.,  1.,  2.])
        """
        return _round("ceil", self, np.ceil)

    def floor(self) -> R:
        """The largest whole number not above each element; gradient 0.

        >>> import nnet as nn
        >>> nn.floor(nn.tensor([-1.5, 0.5, 2.0]))
        tensor([-2.,  0.,  2.])
        """
        return _round("floor", self, np.floor)

    def floor_divide(self, other: Any) -> R:
        """self // other: the quotient rounded down. It has no gradient: `backward` raises.

        >>> import nnet as nn
        >>> nn.floor_divide(nn.tensor([-7, 7]), 2)
        tensor([-4,  3])
        """
        return self // other

    def remainder(self, other: Any) -> R:
        """self % other: what is left by division rounded down, with the sign of `other`.

        >>> import nnet as nn
        >>> nn.remainder(nn.tensor([-7, 7]), 3)
        tensor([2, 1])
        """
        return self % other

    def __floordiv__(self, other: Any) -> R:
        x, y = _operands("floor_divide", self, other)
        with quiet():
            z = np.floor_divide(x, y)

        def backward(dz: np.ndarray) -> None:
            raise RuntimeError(
                "floor_divide: expected no gradient through it, it has none; "
                'div(rounding_mode="floor") has that of 0'
            )

        return self._record(z, (self, tensor_or_none(other)), backward)

    def __mod__(self, other: Any) -> R:
        x, y = _operands("remainder", self, other)
        a, b = wanted(self), wanted(other)
        with quiet():
            z = np.remainder(x, y)
        if b is None:
            x = y = None  # so that the closure does not keep them

        def backward(dz: np.ndarray) -> tuple:
            return fit(dz, a), None if b is None else fit(-dz * np.floor_divide(x, y), b)

        return self._record(z, (self, tensor_or_none(other)), backward)

    def __rfloordiv__(self, other: Any) -> R:
        return self._constant(other) // self

    def __rmod__(self, other: Any) -> R:
        return self._constant(other) % self

    def __ifloordiv__(self, other: Any) -> R:
        return overwrite("floor_divide", self, lambda old: old // other, other)

    def __imod__(self, other: Any) -> R:
        return overwrite("remainder", self, lambda old: old % other, other)

    def _rounded(self, other: Any, mode: str) -> R:
        """self / other, rounded towards 0 ("trunc") or down ("floor")."""
        if mode not in ("trunc", "floor"):
            raise ValueError(f"div: expected rounding_mode 'trunc' or 'floor', got {mode!r}")
        x, y = _operands("div", self, other)
        a, b = wanted(self), wanted(other)
        with quiet():
            if mode == "floor":
                z = np.floor_divide(x, y)
            elif x.dtype.kind == "f":
                z = np.trunc(x / y)
            else:
                z = (x - np.fmod(x, y)) // y

        def backward(dz: np.ndarray) -> tuple:
            zeros = np.zeros_like(dz)
            return fit(zeros, a), fit(zeros, b)

        return self._record(z, (self, tensor_or_none(other)), backward)

    def _constant(self, value: Any) -> Any:
        x, y = arrays(self, value)
        return self._record(np.asarray(y, x.dtype), ())


ceil, floor = Rounding.ceil, Rounding.floor
floor_divide, remainder = Rounding.floor_divide, Rounding.remainder


def _round(name: str, tensor: Operand[R], ufunc: Callable) -> R:
    x = tensor.data
    if x.dtype.kind == "b":
        raise TypeError(f"{name}: expected floats or integers, got bool")
    y = ufunc(x) if x.dtype.kind == "f" else x.copy()
    return tensor._record(y, (tensor,), np.zeros_like)


def _operands(name: str, tensor: Operand, other: Any) -> tuple[Any, Any]:
    x, y = arrays(tensor, other)
    if x.dtype.kind == "b":
        raise TypeError(f"{name}: expected floats or integers, got bool")
    if x.dtype.kind != "f" and np.any(np.equal(y, 0)):
        raise ZeroDivisionError(f"{name}: expected no 0 to divide integers by, got {other!r}")
    return x, y
