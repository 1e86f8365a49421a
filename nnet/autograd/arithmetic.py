"""Operators and comparisons of tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .broadcasting import arrays, fit, floats, quiet, tensor_or_none, wanted
from .logic import Logic
from .operand import Operand, R
from .powers import power, power_backward
from .products import matmul
from .rounding import Rounding
from .tape import total


class Arithmetic(Rounding[R], Logic[R]):
    """Broadcasting follows NumPy, dtypes PyTorch: a Python number changes no float dtype."""

    __slots__ = ()

    def __add__(self, other: Any) -> R:
        x, y = arrays(self, other)
        a, b = wanted(self), wanted(other)
        with quiet():
            z = total(x, y) if isinstance(y, np.ndarray) else x + y
        return self._record(z, (self, tensor_or_none(other)), lambda dz: (fit(dz, a), fit(dz, b)))

    def __sub__(self, other: Any) -> R:
        x, y = arrays(self, other)
        a, b = wanted(self), wanted(other)
        with quiet():
            z = x - y

        def backward(dz: np.ndarray) -> tuple:
            return fit(dz, a), None if b is None else fit(-dz, b)

        return self._record(z, (self, tensor_or_none(other)), backward)

    def __mul__(self, other: Any) -> R:
        x, y = arrays(self, other)
        a, b = wanted(self), wanted(other)
        with quiet():
            z = x * y
        if b is None:
            x = None  # so that the closure does not keep it

        def backward(dz: np.ndarray) -> tuple:
            return (
                None if a is None else fit(dz * y, a),
                None if b is None else fit(dz * x, b),
            )

        return self._record(z, (self, tensor_or_none(other)), backward)

    def __truediv__(self, other: Any) -> R:
        x, y = arrays(self, other)
        if x.dtype.kind != "f":
            x = x.astype(np.float32)
            y = np.asarray(other.data if isinstance(other, Operand) else other, np.float32)
        a, b = wanted(self), wanted(other)
        with quiet():
            z = x / y
        quotient = None if b is None else z

        def backward(dz: np.ndarray) -> tuple:
            by_y = dz / y
            return fit(by_y, a), None if b is None else fit(-by_y * quotient, b)

        return self._record(z, (self, tensor_or_none(other)), backward)

    def __pow__(self, exponent: Any) -> R:
        if type(exponent) is int and exponent < 0 and self.data.dtype.kind != "f":
            raise ValueError(f"pow: expected floats for the exponent {exponent}, got integers")
        x, p = arrays(self, exponent)
        a, b = wanted(self), wanted(exponent)
        with quiet():
            z = power(x, p)
        if z.dtype is not x.dtype:
            z = z.astype(x.dtype)  # NumPy makes int8 of bool

        def backward(dz: np.ndarray) -> tuple:
            dx = dp = None
            if a is not None:
                dx = fit(power_backward(dz, x, p), a)
            if b is not None:
                dp = fit(np.where((x == 0) & (p >= 0), 0, dz * z * np.log(x)), b)
            return dx, dp

        return self._record(z, (self, tensor_or_none(exponent)), backward)

    def __matmul__(self, other: Any) -> R:
        """As NumPy's: vectors, matrices, and stacks of matrices, which broadcast.

        >>> import nnet as nn
        >>> nn.matmul(nn.tensor([[1.0, 2.0], [3.0, 4.0]]), nn.tensor([1.0, 10.0]))
        tensor([21., 43.])
        """
        if not isinstance(other, Operand):
            other = self._constant(other)
        return matmul(self, other)

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: Any) -> R:
        return self._constant(other) - self

    def __rtruediv__(self, other: Any) -> R:
        if self.data.dtype.kind != "f":
            inner: Any = self._record(floats(self), ())
            return inner.__rtruediv__(other)
        return self._constant(other) / self

    def __rpow__(self, other: Any) -> R:
        return self._constant(other) ** self

    def __rmatmul__(self, other: Any) -> R:
        return self._constant(other) @ self

    def __neg__(self) -> R:
        return self._record(-self.data, (self,), lambda dy: -dy)

    def __abs__(self) -> R:
        """The absolute value of each element; gradient 0 at 0.

        >>> import nnet as nn
        >>> nn.abs(nn.tensor([-1.5, 2.0]))
        tensor([1.5, 2. ])
        """
        x = self.data
        return self._record(np.abs(self.data), (self,), lambda dy: dy * np.sign(x))

    def __contains__(self, element: Any) -> bool:
        """Whether some element equals a number, or some of a tensor's; TypeError for others."""
        x, y = arrays(self, element)
        return bool(np.any(np.equal(x, y)))

    def __eq__(self, other: Any) -> Any:
        return _compare(self, other, np.equal)

    def __ne__(self, other: Any) -> Any:
        return _compare(self, other, np.not_equal)

    def __lt__(self, other: Any) -> Any:
        return _compare(self, other, np.less)

    def __le__(self, other: Any) -> Any:
        return _compare(self, other, np.less_equal)

    def __gt__(self, other: Any) -> Any:
        return _compare(self, other, np.greater)

    def __ge__(self, other: Any) -> Any:
        return _compare(self, other, np.greater_equal)

    matmul, neg, abs = __matmul__, __neg__, __abs__


def _compare(tensor: Operand, other: Any, ufunc: Callable) -> Any:
    # NumPy compares a number that the dtype cannot hold by its value.
    if type(other) is int:
        return tensor._record(ufunc(tensor.data, other), ())
    try:
        x, y = arrays(tensor, other)
    except TypeError:
        return NotImplemented
    return tensor._record(ufunc(x, y), ())
