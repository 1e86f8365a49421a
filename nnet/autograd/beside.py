"""Tensor methods that make new tensors, of the tensor's dtype if no other is given."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .casting import check_device, target_dtype
from .operand import Operand, R
from .shaping import sizes_of


class Beside(Operand[R]):
    """Sizes one by one, in a tuple, or by name; the options are those of `zeros`."""

    __slots__ = ()

    def new_tensor(self, data: Any, **options: Any) -> R:
        """A copy of a tensor, an array, numbers or nested lists."""
        values = data.data if isinstance(data, Operand) else data
        return _new("new_tensor", self, lambda dtype: np.array(values, dtype), **options)

    def new_zeros(self, *sizes: Any, size: Any = None, **options: Any) -> R:
        shape = _shape("new_zeros", sizes, size)
        return _new("new_zeros", self, lambda dtype: np.zeros(shape, dtype), **options)

    def new_ones(self, *sizes: Any, size: Any = None, **options: Any) -> R:
        shape = _shape("new_ones", sizes, size)
        return _new("new_ones", self, lambda dtype: np.ones(shape, dtype), **options)

    def new_empty(self, *sizes: Any, size: Any = None, **options: Any) -> R:
        """Values undefined: to be written before they are read."""
        shape = _shape("new_empty", sizes, size)
        return _new("new_empty", self, lambda dtype: np.empty(shape, dtype), **options)

    def new_full(self, size: Any, fill_value: Any, **options: Any) -> R:
        """`fill_value`, a number, everywhere."""
        if np.ndim(fill_value) or isinstance(fill_value, str):
            raise TypeError(f"new_full: expected fill_value as a number, got {fill_value!r}")
        number = fill_value.data if isinstance(fill_value, Operand) else fill_value
        shape = _shape("new_full", (size,), None)
        return _new("new_full", self, lambda dtype: np.full(shape, number, dtype), **options)

    def new(self, *given: Any) -> R:
        """`new_empty` of sizes one by one, `new_tensor` of a list or an array."""
        if len(given) == 1 and isinstance(given[0], list | tuple | np.ndarray | Operand):
            return self.new_tensor(given[0])
        return self.new_empty(*given or (0,))


def _new(
    op: str,
    like: Any,
    fill: Any,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    check_device(op, device)
    new = like._record(fill(like.data.dtype if dtype is None else target_dtype(dtype)), ())
    return new.requires_grad_() if requires_grad else new


def _shape(op: str, sizes: tuple, size: Any) -> tuple[int, ...]:
    if bool(sizes) == (size is not None):
        raise TypeError(f"{op}: expected sizes once, got {sizes} and size={size}")
    return sizes_of(sizes) if size is None else tuple(size)
