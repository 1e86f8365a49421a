"""Tensor methods that write into the tensor's own array."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .broadcasting import arrays, quiet
from .tape import Operand, mode

if TYPE_CHECKING:
    from .tensor import Tensor


class InPlace(Operand):
    """Never recorded: what needs a gradient is written to only inside `no_grad`."""

    __slots__ = ()

    def __iadd__(self, other: Any) -> Tensor:
        return _augment(self, other, np.add, operator.add)

    def __isub__(self, other: Any) -> Tensor:
        return _augment(self, other, np.subtract, operator.sub)

    def __imul__(self, other: Any) -> Tensor:
        return _augment(self, other, np.multiply, operator.mul)

    def __itruediv__(self, other: Any) -> Tensor:
        return _augment(self, other, np.divide, operator.truediv)

    def add_(self, other: Any, alpha: float = 1) -> Tensor:
        return _write(self, other if alpha == 1 else alpha * other, np.add)

    def sub_(self, other: Any) -> Tensor:
        return _write(self, other, np.subtract)

    def mul_(self, other: Any) -> Tensor:
        return _write(self, other, np.multiply)

    def div_(self, other: Any) -> Tensor:
        return _write(self, other, np.divide)

    def zero_(self) -> Tensor:
        return self.fill_(0)

    def fill_(self, value: float) -> Tensor:
        _check_writable(self, "fill_")
        self.data.fill(value)
        return self  # type: ignore[return-value]

    def copy_(self, other: Any) -> Tensor:
        """Take over the values of `other`, which may broadcast."""
        _check_writable(self, "copy_", other)
        np.copyto(self.data, other.data if isinstance(other, Operand) else other, "same_kind")
        return self  # type: ignore[return-value]

    def clamp_(self, min: float | None = None, max: float | None = None) -> Tensor:
        _check_writable(self, "clamp_")
        np.clip(self.data, min, max, out=self.data)
        return self  # type: ignore[return-value]

    def __setitem__(self, index: Any, value: Any) -> None:
        _check_writable(self, "item assignment", value)
        self.data[array_index(index)] = value.data if isinstance(value, Operand) else value


def array_index(index: Any) -> Any:
    """An index with arrays for tensors."""
    if isinstance(index, tuple):
        return tuple(array_index(part) for part in index)
    return index.data if isinstance(index, Operand) else index


def _augment(tensor: Any, other: Any, ufunc: Callable, operation: Callable) -> Tensor:
    """`x += y`; a computed tensor that is on the tape becomes a new one instead."""
    recorded = mode.recording and (tensor.requires_grad or _needs_grad(other))
    if recorded and not (tensor.requires_grad and tensor.is_leaf):
        return operation(tensor, other)
    return _write(tensor, other, ufunc)


def _write(tensor: Any, other: Any, ufunc: Callable) -> Tensor:
    _check_writable(tensor, ufunc.__name__, other)
    with quiet():
        ufunc(tensor.data, arrays(tensor, other)[1], out=tensor.data, casting="same_kind")
    return tensor


def _check_writable(tensor: Any, name: str, other: Any = None) -> None:
    if mode.recording and (tensor.requires_grad or _needs_grad(other)):
        raise RuntimeError(
            f"{name}: expected tensors without requires_grad, or no_grad(); "
            "writing in place is not recorded"
        )


def _needs_grad(value: Any) -> bool:
    return isinstance(value, Operand) and value.requires_grad
