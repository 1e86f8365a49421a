"""Tensor methods that reduce axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .broadcasting import quiet
from .operand import Operand, R
from .shaping import axis

Dim = int | Sequence[int] | None


class ValuesAndIndices(NamedTuple):
    """Extremes along an axis, and where they are."""

    values: Any
    indices: Any


class Reductions(Operand[R]):
    """`dim` is an axis, several where that makes sense, or None for all.

    A tensor without axes has the axis 0, as in PyTorch. Raises IndexError for an axis that is not
    there, ValueError for one that is given twice.
    """

    __slots__ = ()

    def sum(self, dim: Dim = None, keepdim: bool = False) -> R:
        """Accumulates in float64; integers and bools add up to int64."""
        x = self.data
        axes = _axes(dim, x.ndim) or None
        with quiet():
            y = _sum(x, axes, keepdim)
        shape = x.shape
        return self._record(y, (self,), lambda dy: _spread(dy, axes, keepdim, shape))

    def mean(self, dim: Dim = None, keepdim: bool = False) -> R:
        x = _floats("mean", self)
        axes = _axes(dim, x.ndim) or None
        with quiet():
            y, count = _mean(x, axes, keepdim)
        shape, divisor = x.shape, x.dtype.type(count)
        return self._record(y, (self,), lambda dy: _spread(dy / divisor, axes, keepdim, shape))

    def var(self, dim: Dim = None, correction: float = 1, keepdim: bool = False) -> R:
        """Sum of squared deviations over count - correction."""
        return _variance(self, "var", dim, correction, keepdim)

    def std(self, dim: Dim = None, correction: float = 1, keepdim: bool = False) -> R:
        """The root of `var`; its gradient is 0 where all numbers are equal."""
        return _variance(self, "std", dim, correction, keepdim)

    def max(self, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
        """The largest element; with `dim`, (values, indices) along it; with a tensor, `maximum`.

        Among equal elements the gradient goes to the first with `dim`, in equal shares without.
        """
        if other is not None or isinstance(dim, Operand | np.ndarray):
            return self.maximum(dim if other is None else other)  # type: ignore[attr-defined]
        return _extreme(self, dim, keepdim, np.max, np.argmax)

    def min(self, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
        """As `max`, of the smallest element; with a tensor, `minimum`."""
        if other is not None or isinstance(dim, Operand | np.ndarray):
            return self.minimum(dim if other is None else other)  # type: ignore[attr-defined]
        return _extreme(self, dim, keepdim, np.min, np.argmin)

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> R:
        """The index of the largest element, of the first one if several are equal."""
        return self._record(np.argmax(self.data, dim, keepdims=keepdim), ())

    def argmin(self, dim: int | None = None, keepdim: bool = False) -> R:
        return self._record(np.argmin(self.data, dim, keepdims=keepdim), ())

    def all(self, dim: Dim = None, keepdim: bool = False) -> R:
        return self._record(np.all(self.data, _axes(dim, self.data.ndim), keepdims=keepdim), ())

    def any(self, dim: Dim = None, keepdim: bool = False) -> R:
        return self._record(np.any(self.data, _axes(dim, self.data.ndim), keepdims=keepdim), ())


def _axes(dim: Dim, ndim: int) -> tuple[int, ...] | None:
    """The axes, each there and once; none of a tensor without axes, None for all."""
    if dim is None:
        return None
    if type(dim) is int and -ndim <= dim < ndim:
        return (dim,)
    given: Any = dim if isinstance(dim, tuple | list) else (dim,)
    axes = tuple([axis(each, ndim or 1) for each in given])
    if len(set(axes)) < len(axes):
        raise ValueError(f"dim: expected each axis once, got {dim}")
    return axes if ndim else ()


def _floats(op: str, tensor: Operand) -> np.ndarray:
    x = tensor.data
    if x.dtype.kind != "f":
        raise TypeError(f"{op}: expected dtype float32 or float64, got {x.dtype}")
    return x


def _sum(x: np.ndarray, axes: tuple[int, ...] | None, keepdim: bool) -> np.ndarray:
    wide = np.float64 if x.dtype.kind == "f" else np.int64
    total = np.asarray(np.sum(x, axes, dtype=wide, keepdims=keepdim))
    return total.astype(x.dtype, copy=False) if x.dtype.kind == "f" else total


def _mean(x: np.ndarray, axes: tuple[int, ...] | None, keepdim: bool) -> tuple[np.ndarray, float]:
    """The means, and of how many numbers each is."""
    total = _sum(x, axes, keepdim)
    count = np.float64(x.size) / total.size if total.size else np.float64(0)
    return (total / count).astype(x.dtype), count


def _variance(tensor: Operand[R], op: str, dim: Dim, correction: float, keepdim: bool) -> R:
    x = _floats(op, tensor)
    axes = _axes(dim, x.ndim) or None
    with quiet():
        mean, count = _mean(x, axes, True)
        deviation = x - mean
        divisor = x.dtype.type(max(count - correction, 0))
        y = _sum(deviation * deviation, axes, keepdim) / divisor
        if op == "std":
            y = np.sqrt(y)

    def backward(dy: np.ndarray) -> np.ndarray:
        if op == "std":
            dy = np.where(y == 0, 0, dy / (y + y))  # the deviations are 0 there too
        if axes is not None and not keepdim:
            dy = np.expand_dims(dy, axes)
        return deviation * (dy * (2 / divisor))

    return tensor._record(y, (tensor,), backward)


def _spread(
    dy: np.ndarray, axes: tuple[int, ...] | None, keepdim: bool, shape: tuple[int, ...]
) -> np.ndarray:
    """The gradient of a sum: dy again for each element that was summed."""
    if axes is not None and not keepdim:
        dy = np.expand_dims(dy, axes)
    return np.broadcast_to(dy, shape)


def _extreme(tensor: Operand, dim: int | None, keepdim: bool, reduce: Any, locate: Any) -> Any:
    x = tensor.data
    if dim is None:
        y = reduce(x, keepdims=keepdim)

        def share(dy: np.ndarray) -> np.ndarray:
            equal = np.isnan(x) if np.isnan(y).all() else x == y
            return np.where(equal, dy / equal.sum(dtype=x.dtype), 0)

        return tensor._record(y, (tensor,), share)

    dim = axis(dim, x.ndim or 1)
    if not x.ndim:
        values, indices = _extreme(tensor.reshape(1), 0, False, reduce, locate)  # type: ignore[attr-defined]
        return ValuesAndIndices(values, indices)
    indices = locate(x, dim, keepdims=True)
    values = np.take_along_axis(x, indices, dim)
    shape, dtype = x.shape, x.dtype

    def scatter(dy: np.ndarray) -> np.ndarray:
        dx = np.zeros(shape, dtype)
        np.put_along_axis(dx, indices, dy if keepdim else np.expand_dims(dy, dim), dim)
        return dx

    if not keepdim:
        values = values.squeeze(dim)
    return ValuesAndIndices(
        tensor._record(values, (tensor,), scatter),
        tensor._record(indices if keepdim else indices.squeeze(dim), ()),
    )
