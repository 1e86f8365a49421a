"""Tensor methods that are functions of each element."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from kernels import activation

from .broadcasting import arrays, common, fit, floats, in_dtype, quiet, tensor_or_none, wanted
from .operand import Operand, R
from .trigonometry import Trigonometry


class Elementwise(Trigonometry[R]):
    """Integers become float32 where the result is not whole."""

    __slots__ = ()

    def exp(self) -> R:
        """e to the power of each element.

        >>> import nnet as nn
        >>> nn.exp(nn.tensor([0.0, 1.0]))
        tensor([1.      , 2.718282])
        """
        with quiet():
            y = np.exp(floats(self))
        return self._record(y, (self,), lambda dy: dy * y)

    def log(self) -> R:
        """The natural logarithm of each element; -inf of 0, NaN below.

        >>> import nnet as nn
        >>> nn.log(nn.tensor([1.0, 2.0]))
        tensor([0.       , 0.6931472])
        """
        x = floats(self)
        with quiet():
            y = np.log(x)
        return self._record(y, (self,), lambda dy: dy / x)

    def log1p(self) -> R:
        """The natural logarithm of 1 + each element, exact near 0; -inf of -1, NaN below.

        >>> import nnet as nn
        >>> nn.log1p(nn.tensor([0.0, 1.0]))
        tensor([0.       , 0.6931472])
        """
        x = floats(self)
        with quiet():
            y = np.log1p(x)
        return self._record(y, (self,), lambda dy: dy / (x + 1))

    def erf(self) -> R:
        """The error function, 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to each element.

        >>> import nnet as nn
        >>> nn.erf(nn.tensor([0.0, 1.0]))
        tensor([0.       , 0.8427008])
        """
        from scipy.special import erf

        x = floats(self)
        return self._record(erf(x), (self,), lambda dy: dy * (_ERF_SLOPE * np.exp(-x * x)))

    def sqrt(self) -> R:
        """The root of each element; NaN below 0.

        >>> import nnet as nn
        >>> nn.sqrt(nn.tensor([4.0, 9.0]))
        tensor([2., 3.])
        """
        with quiet():
            y = np.sqrt(floats(self))
        return self._record(y, (self,), lambda dy: dy / (y + y))

    def square(self) -> R:
        x = self.data if self.data.dtype.kind != "b" else self.data.astype(np.int64)
        with quiet():
            y = x * x
        return self._record(y, (self,), lambda dy: dy * (x + x))

    def clamp(self, min: Any = None, max: Any = None) -> R:
        """Limit to [min, max], numbers or tensors; max where min is above it.

        The gradient goes to x where it is inside, bounds included, else to the bound.

        >>> import nnet as nn
        >>> nn.clamp(nn.tensor([-2.0, 0.5, 3.0]), 0.0, 1.0)
        tensor([0. , 0.5, 1. ])
        """
        if min is None and max is None:
            raise ValueError("clamp: expected min or max, got neither")
        x = self.data
        if isinstance(min, Operand) or isinstance(max, Operand):
            return _clamp_by_tensors(self, min, max)
        if x.dtype.kind != "f":
            x = x.astype(common(self, *(each for each in (min, max) if each is not None)))
        low, high = _number(min), _number(max)

        def backward(dy: np.ndarray) -> np.ndarray:
            inside = np.ones(x.shape, bool)
            if low is not None:
                inside &= x >= low
            if high is not None:
                inside &= x <= high
            return np.where(inside, dy, 0)

        return self._record(np.clip(x, low, high), (self,), backward)

    def maximum(self, other: Any) -> R:
        """The larger one of each pair; equal ones share the gradient.

        >>> import nnet as nn
        >>> nn.maximum(nn.tensor([1.0, 4.0]), nn.tensor([3.0, 2.0]))
        tensor([3., 4.])
        """
        return _extreme(self, other, np.maximum, np.less)

    def minimum(self, other: Any) -> R:
        """The smaller one of each pair; equal ones share the gradient.

        >>> import nnet as nn
        >>> nn.minimum(nn.tensor([1.0, 4.0]), nn.tensor([3.0, 2.0]))
        tensor([1., 2.])
        """
        return _extreme(self, other, np.minimum, np.greater)

    def relu(self) -> R:
        """max(x, 0); integers stay integers."""
        if self.data.dtype.kind in "iu":
            return self._record(np.maximum(self.data, 0), ())
        return _activate(self, activation.ReLU(), self.data)

    def sigmoid(self) -> R:
        return _activate(self, activation.Sigmoid(), floats(self))

    def tanh(self) -> R:
        return _activate(self, activation.Tanh(), floats(self))


_ERF_SLOPE = 2 / math.sqrt(math.pi)


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _clamp_by_tensors(tensor: Operand[R], min: Any, max: Any) -> R:
    dtype = common(*(each for each in (tensor, min, max) if each is not None))
    x = in_dtype(tensor, dtype)
    low, high = (None if each is None else in_dtype(each, dtype) for each in (min, max))
    shapes = wanted(tensor), wanted(min), wanted(max)

    def backward(dy: np.ndarray) -> tuple:
        under = np.False_ if low is None else x < low
        over = np.False_ if high is None else x > high
        to_low, to_high = under, over
        if low is not None and high is not None:
            to_low, to_high = under & (low < high), over | (low > high)
        masks = ~(np.isnan(x) | under | over), to_low, to_high
        return tuple(
            None if shape is None else fit(np.where(mask, dy, 0), shape)
            for mask, shape in zip(masks, shapes, strict=True)
        )

    inputs = tensor, tensor_or_none(min), tensor_or_none(max)
    return tensor._record(np.clip(x, low, high), inputs, backward)


def _activate(tensor: Operand[R], formula: activation.Formula, x: np.ndarray) -> R:
    y, saved = activation.forward(formula, x)
    return tensor._record(y, (tensor,), lambda dy: activation.backward(dy, saved))


def _extreme(tensor: Operand[R], other: Any, ufunc: Callable, loses: Callable) -> R:
    x, y = arrays(tensor, other)
    a, b = wanted(tensor), wanted(other)
    z = ufunc(x, y)

    def backward(dz: np.ndarray) -> tuple:
        share = np.where(x == y, dz * 0.5, dz)
        return (
            None if a is None else fit(np.where(loses(x, y), 0, share), a),
            None if b is None else fit(np.where(loses(y, x), 0, share), b),
        )

    return tensor._record(z, (tensor, tensor_or_none(other)), backward)
