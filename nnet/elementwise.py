"""Tensor methods that are functions of each element."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels import activation

from .broadcasting import arrays, fit, floats, quiet, tensor_or_none, wanted
from .tape import Operand

if TYPE_CHECKING:
    from .tensor import Tensor


class Elementwise(Operand):
    """Integers become float32 where the result is not whole."""

    __slots__ = ()

    def exp(self) -> Tensor:
        with quiet():
            y = np.exp(floats(self))
        return self._record(y, (self,), lambda dy: dy * y)

    def log(self) -> Tensor:
        x = floats(self)
        with quiet():
            y = np.log(x)
        return self._record(y, (self,), lambda dy: dy / x)

    def sqrt(self) -> Tensor:
        with quiet():
            y = np.sqrt(floats(self))
        return self._record(y, (self,), lambda dy: dy / (y + y))

    def square(self) -> Tensor:
        x = self.data
        with quiet():
            y = x * x
        return self._record(y, (self,), lambda dy: dy * (x + x))

    def clamp(self, min: float | None = None, max: float | None = None) -> Tensor:
        """Limit to [min, max]; the gradient passes where x is inside, bounds included."""
        x = self.data
        if min is None and max is None:
            raise ValueError("clamp: expected min or max, got neither")

        def backward(dy: np.ndarray) -> np.ndarray:
            inside = np.ones(x.shape, bool)
            if min is not None:
                inside &= x >= min
            if max is not None:
                inside &= x <= max
            return np.where(inside, dy, 0)

        return self._record(np.clip(x, min, max), (self,), backward)

    def maximum(self, other: Any) -> Tensor:
        """The larger one of each pair; equal ones share the gradient."""
        return _extreme(self, other, np.maximum)

    def minimum(self, other: Any) -> Tensor:
        """The smaller one of each pair; equal ones share the gradient."""
        return _extreme(self, other, np.minimum)

    def relu(self) -> Tensor:
        return _activate(self, activation.ReLU())

    def sigmoid(self) -> Tensor:
        return _activate(self, activation.Sigmoid())

    def tanh(self) -> Tensor:
        return _activate(self, activation.Tanh())

    def isnan(self) -> Tensor:
        return self._record(np.isnan(self.data), ())

    def isfinite(self) -> Tensor:
        return self._record(np.isfinite(self.data), ())


def _activate(tensor: Operand, formula: activation.Formula) -> Tensor:
    y, saved = activation.forward(formula, tensor.data)
    return tensor._record(y, (tensor,), lambda dy: activation.backward(dy, saved))


def _extreme(tensor: Operand, other: Any, ufunc: Callable) -> Tensor:
    x, y = arrays(tensor, other)
    a, b = wanted(tensor), wanted(other)
    z = ufunc(x, y)

    def backward(dz: np.ndarray) -> tuple:
        share = np.where(x == y, dz * 0.5, dz)
        return (
            None if a is None else fit(np.where(x == z, share, 0), a),
            None if b is None else fit(np.where(y == z, share, 0), b),
        )

    return tensor._record(z, (tensor, tensor_or_none(other)), backward)
