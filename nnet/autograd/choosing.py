"""Tensor methods that take each element from one of two."""

from __future__ import annotations

from typing import Any

import numpy as np

from .broadcasting import common, fit, in_dtype, tensor_or_none, wanted
from .in_place import overwrite
from .operand import Operand, R

__all__ = ["masked_fill"]


class Choosing(Operand[R]):
    """The condition is a tensor of bool, which broadcasts."""

    __slots__ = ()

    def where(self, condition: Operand, other: Any) -> R:
        """The tensor's element where the condition holds, else that of `other`."""
        return choose(condition, self, other)

    def masked_fill(self, mask: Operand, value: Any) -> R:
        """`value` where the mask is True; both broadcast, and the tensor's dtype stays.

        mask   a tensor of bool
        value  a number, or a tensor of one without axes

        Raises TypeError for a mask of another dtype, ValueError for a value with axes and for
        shapes that do not broadcast.

        >>> import nnet as nn
        >>> x = nn.tensor([1.0, 2.0, 3.0])
        >>> nn.masked_fill(x, x > 1, 0.0)
        tensor([1., 0., 0.])
        """
        _check_fill(mask, value)
        x, chosen = self.data, mask.data
        shape, of_value = wanted(self), wanted(value)
        filled = np.asarray(value.data if isinstance(value, Operand) else value).astype(x.dtype)
        try:
            y = np.where(chosen, filled, x)
        except ValueError:
            raise ValueError(
                f"masked_fill: expected a mask that broadcasts to {x.shape}, got {chosen.shape}"
            ) from None

        def backward(dy: np.ndarray) -> tuple:
            return (
                None if shape is None else fit(np.where(chosen, 0, dy), shape),
                None if of_value is None else fit(np.where(chosen, dy, 0), of_value),
            )

        return self._record(y, (self, tensor_or_none(value)), backward)

    def masked_fill_(self, mask: Operand, value: Any) -> R:
        """`masked_fill` into the tensor itself."""
        return overwrite("masked_fill_", self, lambda old: old.masked_fill(mask, value), value)


masked_fill = Choosing.masked_fill


def choose(condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, else y, in the dtype in which they meet."""
    check_condition("where", "condition", condition)
    chosen = condition.data
    a, b = wanted(x), wanted(y)

    def backward(dz: np.ndarray) -> tuple:
        return (
            None if a is None else fit(np.where(chosen, dz, 0), a),
            None if b is None else fit(np.where(chosen, 0, dz), b),
        )

    if isinstance(x, Operand) and isinstance(y, Operand) and x.data.dtype is y.data.dtype:
        z = np.where(chosen, x.data, y.data)
    else:
        dtype = common(x, y)
        z = np.where(chosen, in_dtype(x, dtype), in_dtype(y, dtype))
    return condition._record(z, (tensor_or_none(x), tensor_or_none(y)), backward)


def check_condition(name: str, option: str, condition: Any, dtypes: str = "?B") -> None:
    """TypeError for what is no tensor of bool (or, as PyTorch's `where` takes it, uint8)."""
    if not isinstance(condition, Operand) or condition.data.dtype.char not in dtypes:
        got = condition.data.dtype if isinstance(condition, Operand) else type(condition).__name__
        raise TypeError(f"{name}: expected {option} to be a tensor of bool, got {got}")


def _check_fill(mask: Any, value: Any) -> None:
    check_condition("masked_fill", "mask", mask, "?")
    if np.ndim(value.data if isinstance(value, Operand) else value):
        raise ValueError(
            f"masked_fill: expected a value without axes, got shape {np.shape(value.data)}"
        )
