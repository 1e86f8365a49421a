"""Operators of tensors as methods and as functions: `nn.add(x, y)` is `x + y`."""

from __future__ import annotations

from typing import Any

from .arithmetic import Arithmetic
from .broadcasting import common
from .operand import R

__all__ = ["add", "sub", "mul", "div", "pow", "eq", "ne", "lt", "le", "gt", "ge"]


class Operators(Arithmetic[R]):
    """`other` is a tensor, an array or a number; dtypes and broadcasting are those of operators."""

    __slots__ = ()

    def add(self, other: Any, *, alpha: float = 1) -> R:
        """self + alpha * other.

        Raises TypeError for a float alpha where the sum is one of integers.

        >>> import nnet as nn
        >>> nn.add(nn.tensor([1.0, 2.0]), nn.tensor([1.0, 1.0]), alpha=10)
        tensor([11., 12.])
        """
        return self + (other if alpha == 1 else _scaled("add", self, other, alpha))

    def sub(self, other: Any, *, alpha: float = 1) -> R:
        """self - alpha * other; as `add`.

        >>> import nnet as nn
        >>> nn.sub(nn.tensor([1.0, 2.0]), 1)
        tensor([0., 1.])
        """
        return self - (other if alpha == 1 else _scaled("sub", self, other, alpha))

    def mul(self, other: Any) -> R:
        """self * other.

        >>> import nnet as nn
        >>> nn.mul(nn.tensor([1.0, 2.0]), nn.tensor([3.0, 4.0]))
        tensor([3., 8.])
        """
        return self * other

    def div(self, other: Any, *, rounding_mode: str | None = None) -> R:
        """self / other, which makes float32 of integers.

        rounding_mode  "trunc" rounds towards 0, "floor" down; integers stay integers and the
                       gradient is 0

        Raises ValueError for another rounding_mode, ZeroDivisionError for integers divided by 0
        and rounded.

        >>> import nnet as nn
        >>> nn.div(nn.tensor([-7, 7]), 2)
        tensor([-3.5,  3.5])
        >>> nn.div(nn.tensor([-7, 7]), 2, rounding_mode="floor")
        tensor([-4,  3])
        """
        if rounding_mode is None:
            return self / other
        return self._rounded(other, rounding_mode)

    def pow(self, exponent: Any) -> R:
        """self to the power of exponent; one of them may be a number.

        >>> import nnet as nn
        >>> nn.pow(nn.tensor([1.0, 2.0, 3.0]), 2)
        tensor([1., 4., 9.])
        >>> nn.pow(2, nn.tensor([1.0, 2.0, 3.0]))
        tensor([2., 4., 8.])
        """
        return self**exponent

    def eq(self, other: Any) -> R:
        """Where elements are equal, a tensor of bool.

        >>> import nnet as nn
        >>> nn.eq(nn.tensor([1, 2, 3]), 2)
        tensor([False,  True, False])
        """
        return _compared("eq", self == other, other)

    def ne(self, other: Any) -> R:
        """Where elements differ, a tensor of bool.

        >>> import nnet as nn
        >>> nn.ne(nn.tensor([1, 2, 3]), 2)
        tensor([ True, False,  True])
        """
        return _compared("ne", self != other, other)

    def lt(self, other: Any) -> R:
        """Where elements are below those of `other`, a tensor of bool.

        >>> import nnet as nn
        >>> nn.lt(nn.tensor([1, 2, 3]), 2)
        tensor([ True, False, False])
        """
        return self < other

    def le(self, other: Any) -> R:
        """Where elements are below those of `other` or equal, a tensor of bool.

        >>> import nnet as nn
        >>> nn.le(nn.tensor([1, 2, 3]), 2)
        tensor([ True,  True, False])
        """
        return self <= other

    def gt(self, other: Any) -> R:
        """Where elements are above those of `other`, a tensor of bool.

        >>> import nnet as nn
        >>> nn.gt(nn.tensor([1, 2, 3]), 2)
        tensor([False, False,  True])
        """
        return self > other

    def ge(self, other: Any) -> R:
        """Where elements are above those of `other` or equal, a tensor of bool.

        >>> import nnet as nn
        >>> nn.ge(nn.tensor([1, 2, 3]), 2)
        tensor([False,  True,  True])
        """
        return self >= other


add, sub, mul, div, pow = (
    Operators.add,
    Operators.sub,
    Operators.mul,
    Operators.div,
    Operators.pow,
)
eq, ne, lt, le, gt, ge = (
    Operators.eq,
    Operators.ne,
    Operators.lt,
    Operators.le,
    Operators.gt,
    Operators.ge,
)


def _scaled(name: str, tensor: Any, other: Any, alpha: Any) -> Any:
    if isinstance(alpha, float) and common(tensor, other).kind != "f":
        raise TypeError(f"{name}: expected an integer alpha for integers, got {alpha}")
    return other * alpha


def _compared(name: str, result: Any, other: Any) -> Any:
    """What == gives; Python's own answer, for what a tensor is not compared with, is none."""
    if isinstance(result, bool):
        raise TypeError(f"{name}: expected a tensor or a number, got {type(other).__name__}")
    return result
