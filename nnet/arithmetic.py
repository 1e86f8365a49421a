"""Tensor methods that work element by element, and `@`."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels import activation
from kernels import matmul as matmul_op

from .tape import Operand

if TYPE_CHECKING:
    from .tensor import Tensor

# Overflow, division by zero and NaN are values to look at, not warnings.
quiet = partial(np.errstate, all="ignore")


class Arithmetic(Operand):
    """Broadcasting follows NumPy, dtypes PyTorch: a Python number changes no float dtype."""

    __slots__ = ()

    def __add__(self, other: Any) -> Tensor:
        x, y = arrays(self, other)
        a, b = _wanted(self), _wanted(other)
        with quiet():
            z = x + y
        return self._record(z, (self, _tensor(other)), lambda dz: (_fit(dz, a), _fit(dz, b)))

    def __sub__(self, other: Any) -> Tensor:
        x, y = arrays(self, other)
        a, b = _wanted(self), _wanted(other)
        with quiet():
            z = x - y

        def backward(dz: np.ndarray) -> tuple:
            return _fit(dz, a), None if b is None else _fit(-dz, b)

        return self._record(z, (self, _tensor(other)), backward)

    def __mul__(self, other: Any) -> Tensor:
        x, y = arrays(self, other)
        a, b = _wanted(self), _wanted(other)
        with quiet():
            z = x * y
        if b is None:
            x = None  # so that the closure does not keep it

        def backward(dz: np.ndarray) -> tuple:
            return (
                None if a is None else _fit(dz * y, a),
                None if b is None else _fit(dz * x, b),
            )

        return self._record(z, (self, _tensor(other)), backward)

    def __truediv__(self, other: Any) -> Tensor:
        x, y = arrays(self, other)
        if x.dtype.kind != "f":
            x = x.astype(np.float32)
            y = np.asarray(y, np.float32)
        a, b = _wanted(self), _wanted(other)
        with quiet():
            z = x / y
        quotient = None if b is None else z

        def backward(dz: np.ndarray) -> tuple:
            by_y = dz / y
            return _fit(by_y, a), None if b is None else _fit(-by_y * quotient, b)

        return self._record(z, (self, _tensor(other)), backward)

    def __pow__(self, exponent: Any) -> Tensor:
        x, p = arrays(self, exponent)
        a, b = _wanted(self), _wanted(exponent)
        with quiet():
            z = x**p

        def backward(dz: np.ndarray) -> tuple:
            dx = dp = None
            if a is not None:
                below = p - 1 if isinstance(p, int | float) else np.where(p == 0, 1, p - 1)
                dx = _fit(np.where(p == 0, 0, dz * (p * x**below)), a)
            if b is not None:
                dp = _fit(np.where((x == 0) & (p >= 0), 0, dz * z * np.log(x)), b)
            return dx, dp

        return self._record(z, (self, _tensor(exponent)), backward)

    def __matmul__(self, other: Any) -> Tensor:
        if not isinstance(other, Operand):
            other = self._constant(other)
        return _matmul(self, other)

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: Any) -> Tensor:
        return self._constant(other) - self

    def __rtruediv__(self, other: Any) -> Tensor:
        return self._constant(other) / self

    def __rpow__(self, other: Any) -> Tensor:
        return self._constant(other) ** self

    def __rmatmul__(self, other: Any) -> Tensor:
        return self._constant(other) @ self

    def __neg__(self) -> Tensor:
        return self._record(-self.data, (self,), lambda dy: -dy)

    def __abs__(self) -> Tensor:
        return self.abs()

    def __invert__(self) -> Tensor:
        return self._record(~self.data, ())

    def __and__(self, other: Any) -> Tensor:
        return self._record(np.bitwise_and(*arrays(self, other)), ())

    def __or__(self, other: Any) -> Tensor:
        return self._record(np.bitwise_or(*arrays(self, other)), ())

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

    add, sub, mul, div, matmul = __add__, __sub__, __mul__, __truediv__, __matmul__
    pow, neg = __pow__, __neg__
    eq, ne, lt, le, gt, ge = __eq__, __ne__, __lt__, __le__, __gt__, __ge__

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

    def abs(self) -> Tensor:
        x = self.data
        return self._record(np.abs(x), (self,), lambda dy: dy * np.sign(x))

    def square(self) -> Tensor:
        return self * self

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
        y, saved = activation.relu_forward(self.data)
        return self._record(y, (self,), lambda dy: activation.relu_backward(dy, saved))

    def sigmoid(self) -> Tensor:
        y, saved = activation.sigmoid_forward(self.data)
        return self._record(y, (self,), lambda dy: activation.sigmoid_backward(dy, saved))

    def tanh(self) -> Tensor:
        y, saved = activation.tanh_forward(self.data)
        return self._record(y, (self,), lambda dy: activation.tanh_backward(dy, saved))

    def isnan(self) -> Tensor:
        return self._record(np.isnan(self.data), ())

    def isfinite(self) -> Tensor:
        return self._record(np.isfinite(self.data), ())

    def _constant(self, value: Any) -> Tensor:
        x, y = arrays(self, value)
        return self._record(np.asarray(y, None if x.dtype == bool else x.dtype), ())


def arrays(tensor: Operand, other: Any) -> tuple[Any, Any]:
    """Both operands as arrays of one dtype, or the second as a Python number."""
    x = tensor.data
    if isinstance(other, Operand):
        y = other.data
    elif isinstance(other, np.ndarray) and other.ndim:
        y = other
    else:
        if isinstance(other, np.generic | np.ndarray):
            other = other.item()
        if not isinstance(other, int | float):
            raise TypeError(f"expected a tensor, an array or a number, got {type(other).__name__}")
        if type(other) is float and x.dtype.kind != "f":
            x = x.astype(np.float32)
        return x, other
    if x.dtype is not y.dtype:
        dtype = _common(x, y)
        x, y = x.astype(dtype, copy=False), y.astype(dtype, copy=False)
    return x, y


def floats(tensor: Operand) -> np.ndarray:
    """The array, as float32 if it holds integers."""
    x = tensor.data
    return x if x.dtype.kind == "f" else x.astype(np.float32)


def _common(x: np.ndarray, y: np.ndarray) -> np.dtype:
    """PyTorch's rule: floats win over integers, then arrays over scalars, then the wider."""
    if (x.dtype.kind == "f") != (y.dtype.kind == "f"):
        return x.dtype if x.dtype.kind == "f" else y.dtype
    if (x.ndim == 0) != (y.ndim == 0) and x.dtype.kind == y.dtype.kind:
        return x.dtype if x.ndim else y.dtype
    return np.result_type(x, y)


def _tensor(value: Any) -> Operand | None:
    return value if isinstance(value, Operand) else None


def _wanted(value: Any) -> tuple[int, ...] | None:
    """The shape that a gradient must have, None where no gradient is needed."""
    return value.data.shape if isinstance(value, Operand) and value.requires_grad else None


def _fit(gradient: np.ndarray, shape: tuple[int, ...] | None) -> np.ndarray | None:
    """Undo broadcasting: sum over the axes that were added or stretched."""
    if shape is None or gradient.shape == shape:
        return gradient if shape is not None else None
    added = gradient.ndim - len(shape)
    stretched = [
        added + axis
        for axis, size in enumerate(shape)
        if size == 1 and gradient.shape[added + axis] != 1
    ]
    total = gradient.sum(axis=(*range(added), *stretched), dtype=np.float64)
    return total.astype(gradient.dtype).reshape(shape)


def _compare(tensor: Operand, other: Any, ufunc: Callable) -> Any:
    try:
        x, y = arrays(tensor, other)
    except TypeError:
        return NotImplemented
    return tensor._record(ufunc(x, y), ())


def _extreme(tensor: Operand, other: Any, ufunc: Callable) -> Tensor:
    x, y = arrays(tensor, other)
    a, b = _wanted(tensor), _wanted(other)
    z = ufunc(x, y)

    def backward(dz: np.ndarray) -> tuple:
        share = np.where(x == y, dz * 0.5, dz)
        return (
            None if a is None else _fit(np.where(x == z, share, 0), a),
            None if b is None else _fit(np.where(y == z, share, 0), b),
        )

    return tensor._record(z, (tensor, _tensor(other)), backward)


def _matmul(tensor: Any, other: Any) -> Tensor:
    """As NumPy's: vectors, matrices, and stacks of matrices, which broadcast."""
    a, b = arrays(tensor, other)
    if not a.ndim or not b.ndim or a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        raise ValueError(
            f"matmul: expected the last axis of the first operand to be as long as the last but "
            f"one of the second, got shapes {a.shape} and {b.shape}"
        )
    if a.dtype.kind != "f":
        return tensor._record(a @ b, ())
    needs = tensor.requires_grad, other.requires_grad, False
    if b.ndim <= 2:
        shape = a.shape[:-1] + b.shape[1:]
        rows = a.reshape(math.prod(a.shape[:-1]), a.shape[-1])
        columns = b if b.ndim == 2 else b[:, None]
        y, saved = matmul_op.forward(rows, columns)
        y_shape, a_shape, b_shape = y.shape, a.shape, b.shape

        def backward(dy: np.ndarray) -> tuple:
            da, db, _ = matmul_op.backward(dy.reshape(y_shape), saved, needs)
            return (
                None if da is None else da.reshape(a_shape),
                None if db is None else db.reshape(b_shape),
            )

        return tensor._record(y.reshape(shape), (tensor, other), backward)

    def backward_stacks(dy: np.ndarray) -> tuple:
        row, dy = (a[None], dy[..., None, :]) if a.ndim == 1 else (a, dy)
        return (
            _fit(_drop_row(dy @ b.swapaxes(-1, -2), a.ndim), a.shape) if needs[0] else None,
            _fit(row.swapaxes(-1, -2) @ dy, b.shape) if needs[1] else None,
        )

    return tensor._record(a @ b, (tensor, other), backward_stacks)


def _drop_row(da: np.ndarray, ndim: int) -> np.ndarray:
    return da[..., 0, :] if ndim == 1 else da
