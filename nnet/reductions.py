"""Tensor methods that reduce axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .broadcasting import quiet
from .tape import Operand

if TYPE_CHECKING:
    from .tensor import Tensor

Dim = int | tuple[int, ...] | None


class ValuesAndIndices(NamedTuple):
    """Extremes along an axis, and where they are."""

    values: Tensor
    indices: Tensor


class Reductions(Operand):
    """`dim` is an axis, several where that makes sense, or None for all."""

    __slots__ = ()

    def sum(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """Accumulates in float64; integers and bools add up to int64."""
        x = self.data
        with quiet():
            y = _sum(x, dim, keepdim)
        shape = x.shape
        return self._record(y, (self,), lambda dy: _spread(dy, dim, keepdim, shape))

    def mean(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        x = self.data
        if x.dtype.kind != "f":
            raise TypeError(f"mean: expected dtype float32 or float64, got {x.dtype}")
        with quiet():
            total = _sum(x, dim, keepdim)
            count = np.float64(x.size) / total.size if total.size else np.float64(0)
            y = (total / count).astype(x.dtype)
        shape, divisor = x.shape, x.dtype.type(count)
        return self._record(y, (self,), lambda dy: _spread(dy / divisor, dim, keepdim, shape))

    def var(self, dim: Dim = None, correction: float = 1, keepdim: bool = False) -> Tensor:
        """Sum of squared deviations over count - correction."""
        deviation = self - self.mean(dim, keepdim=True)
        squares = (deviation * deviation).sum(dim, keepdim)
        count = self.data.size / max(squares.data.size, 1)
        return squares / max(count - correction, 0)

    def std(self, dim: Dim = None, correction: float = 1, keepdim: bool = False) -> Tensor:
        return self.var(dim, correction, keepdim).sqrt()

    def max(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The largest element; with `dim`, (values, indices) along it.

        Among equal elements the gradient goes to the first with `dim`, in equal shares without.
        """
        return _extreme(self, dim, keepdim, np.max, np.argmax)

    def min(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The smallest element; with `dim`, (values, indices) along it."""
        return _extreme(self, dim, keepdim, np.min, np.argmin)

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """The index of the largest element, of the first one if several are equal."""
        return self._record(np.argmax(self.data, dim, keepdims=keepdim), ())

    def argmin(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        return self._record(np.argmin(self.data, dim, keepdims=keepdim), ())

    def all(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        return self._record(np.all(self.data, dim, keepdims=keepdim), ())

    def any(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        return self._record(np.any(self.data, dim, keepdims=keepdim), ())


def _sum(x: np.ndarray, dim: Dim, keepdim: bool) -> np.ndarray:
    wide = np.float64 if x.dtype.kind == "f" else np.int64
    total = np.asarray(np.sum(x, dim, dtype=wide, keepdims=keepdim))
    return total.astype(x.dtype, copy=False) if x.dtype.kind == "f" else total


def _spread(dy: np.ndarray, dim: Dim, keepdim: bool, shape: tuple[int, ...]) -> np.ndarray:
    """The gradient of a sum: dy again for each element that was summed."""
    if dim is not None and not keepdim:
        dy = np.expand_dims(dy, dim)
    return np.broadcast_to(dy, shape)


def _extreme(tensor: Operand, dim: int | None, keepdim: bool, reduce: Any, locate: Any) -> Any:
    x = tensor.data
    if dim is None:
        y = reduce(x, keepdims=keepdim)

        def share(dy: np.ndarray) -> np.ndarray:
            equal = x == y
            return np.where(equal, dy / equal.sum(dtype=x.dtype), 0)

        return tensor._record(y, (tensor,), share)

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
