"""Tensor methods that write into the tensor's own array."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from .broadcasting import fit, quiet, to_write, wanted
from .history import before, check_writable, follow, write_over
from .operand import Operand, R
from .tape import Backward
from .writes import wrote


class InPlace(Operand[R]):
    """As in PyTorch: whoever shares the memory sees the change, and it is on the tape.

    What `backward` needs of the old values must not be lost: a leaf that requires a gradient is
    written to only inside `no_grad`, and a value that an earlier operation kept makes its
    `backward` raise.
    """

    __slots__ = ()

    def __iadd__(self, other: Any) -> R:
        return _update(self, other, np.add, operator.add)

    def __isub__(self, other: Any) -> R:
        return _update(self, other, np.subtract, operator.sub)

    def __imul__(self, other: Any) -> R:
        return _update(self, other, np.multiply, operator.mul)

    def __itruediv__(self, other: Any) -> R:
        return _update(self, other, np.divide, operator.truediv)

    def add_(self, other: Any, alpha: float = 1) -> R:
        return _update(self, other if alpha == 1 else alpha * other, np.add, operator.add)

    def sub_(self, other: Any) -> R:
        return _update(self, other, np.subtract, operator.sub)

    def mul_(self, other: Any) -> R:
        return _update(self, other, np.multiply, operator.mul)

    def div_(self, other: Any) -> R:
        return _update(self, other, np.divide, operator.truediv)

    def zero_(self) -> R:
        return assign("zero_", self, ..., 0)

    def fill_(self, value: Any) -> R:
        """A number everywhere, or the one of a tensor without axes."""
        if np.ndim(value) or isinstance(value, str):
            got = f"shape {np.shape(value)}" if np.ndim(value) else repr(value)
            raise TypeError(f"fill_: expected a number or a tensor without axes, got {got}")
        return assign("fill_", self, ..., value)

    def copy_(self, other: Any) -> R:
        """Take over the values of `other`, which may broadcast."""
        data = self.data
        values = other.data if isinstance(other, Operand) else np.asarray(other)
        if not np.can_cast(values.dtype, data.dtype, "same_kind"):
            raise TypeError(f"copy_: expected values that fit {data.dtype}, got {values.dtype}")
        return assign("copy_", self, ..., other)

    def clamp_(self, min: Any = None, max: Any = None) -> R:
        """`clamp` into the tensor itself."""
        if check_writable("clamp_", self, min, max):
            old: Any = before(self, self.data.copy())
            return write_over(self, old.clamp(min, max))
        if isinstance(min, Operand) or isinstance(max, Operand):
            return overwrite("clamp_", self, lambda old: old.clamp(min, max))
        np.clip(self.data, min, max, out=self.data)
        wrote(self.data)
        return self  # type: ignore[return-value]

    def __setitem__(self, index: Any, value: Any) -> None:
        assign("item assignment", self, array_index(index), value)


def array_index(index: Any) -> Any:
    """An index with arrays for tensors; a list that holds more than numbers becomes a tuple."""
    if isinstance(index, Operand):
        return index.data
    if isinstance(index, list) and any(isinstance(part, _NO_NUMBERS) for part in index):
        index = tuple(index)
    return tuple(_array_part(part) for part in index) if isinstance(index, tuple) else index


_NO_NUMBERS = (Operand, np.ndarray, list, tuple, range, slice, type(None), type(Ellipsis))


def _array_part(part: Any) -> Any:
    if isinstance(part, tuple | list):
        return [_array_part(each) for each in part]
    return part.data if isinstance(part, Operand) else part


def rewrite(name: str, tensor: Any, write: Callable[[np.ndarray, np.ndarray], Backward]) -> Any:
    """tensor <- what `write(x, out)` puts into `out`, which may be x; it returns its backward."""
    recorded = check_writable(name, tensor)
    old = before(tensor) if recorded else None
    x = tensor.data
    if x.flags.c_contiguous and x.flags.writeable:
        backward = write(x, x)
    else:
        out = np.empty(x.shape, x.dtype)
        backward = write(x, out)
        x[...] = out
    wrote(x)
    return follow(tensor, tensor._record(x, (old,), backward)) if recorded else tensor


def overwrite(name: str, tensor: Any, operation: Callable, *others: Any) -> Any:
    """tensor <- what `operation` makes of it and `others`, which keeps no value that it overwrites.

    Raises ValueError for a result of another shape.
    """
    recorded = check_writable(name, tensor, *others)
    new = operation(before(tensor))
    _check_result(name, tensor.data, new.data.shape, new.data.dtype)
    if recorded:
        return write_over(tensor, new)
    np.copyto(tensor.data, new.data)
    wrote(tensor.data)
    return tensor


def _update(tensor: Any, other: Any, ufunc: Callable, operation: Callable) -> Any:
    """tensor <- ufunc(tensor, other); `operation` is its recorded form."""
    name = ufunc.__name__
    if check_writable(name, tensor, other):
        # The gradient to `other` may need the old values.
        copy = tensor.data.copy() if getattr(other, "requires_grad", False) else None
        new = operation(before(tensor, copy), other)
        _check_result(name, tensor.data, new.data.shape, new.data.dtype)
        return write_over(tensor, new.to(tensor.data.dtype))
    y = to_write(tensor, other)
    try:
        with quiet():
            ufunc(tensor.data, y, out=tensor.data, casting="same_kind")
    except (TypeError, ValueError) as error:
        if not tensor.data.flags.writeable:
            raise
        kind = getattr(y, "dtype", type(y).__name__)
        raise (TypeError if isinstance(error, TypeError) else ValueError)(
            f"{name}: expected what fits into {tensor.data.dtype} of shape {tensor.data.shape}, "
            f"got {kind} of shape {np.shape(y)}"
        ) from error
    wrote(tensor.data)
    return tensor


def _check_result(name: str, data: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> None:
    if shape != data.shape:
        raise ValueError(f"{name}: expected a result of shape {data.shape}, got {shape}")
    if not np.can_cast(dtype, data.dtype, "same_kind"):
        raise TypeError(f"{name}: expected a result that fits {data.dtype}, got {dtype}")


def assign(name: str, tensor: Any, index: Any, value: Any) -> Any:
    """tensor[index] <- value."""
    recorded = check_writable(name, tensor, value)
    old = before(tensor) if recorded else None
    values = value.data if isinstance(value, Operand) else value
    if isinstance(values, np.ndarray) and values.ndim:  # axes of one element too many are dropped
        spare = max(values.ndim - np.ndim(tensor.data[index]), 0)
        if values.shape[:spare] == (1,) * spare:
            values = values.reshape(values.shape[spare:])
    tensor.data[index] = values
    wrote(tensor.data)
    if not recorded:
        return tensor
    shape = wanted(value)
    used = np.shape(values)

    def backward(dy: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        part = fit(np.asarray(dy[index]), used) if shape is not None else None
        rest = dy.copy()
        rest[index] = 0
        return rest, None if part is None else part.reshape(shape)

    inputs = old, value if isinstance(value, Operand) else None
    return follow(tensor, tensor._record(tensor.data, inputs, backward))
