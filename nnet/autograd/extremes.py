"""Tensor methods that find the largest and the smallest elements."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .operand import Operand, R
from .shaping import axis


class ValuesAndIndices(NamedTuple):
    """Extremes along an axis, and where they are."""

    values: Any
    indices: Any


class Extremes(Operand[R]):
    """`dim` is an axis, or None for all; indices are the first ones where several are equal."""

    __slots__ = ()

    def max(self, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
        """The largest element; with `dim`, (values, indices) along it; with a tensor, `maximum`.

        Among equal elements the gradient goes to the first with `dim`, in equal shares without.

        >>> import nnet as nn
        >>> values, indices = nn.max(nn.tensor([[1.0, 5.0], [4.0, 2.0]]), 1)
        >>> values, indices
        (tensor([5., 4.]), tensor([1, 0]))
        """
        if other is not None or isinstance(dim, Operand | np.ndarray):
            return self.maximum(dim if other is None else other)  # type: ignore[attr-defined]
        return _extreme(self, dim, keepdim, np.max, np.argmax)

    def min(self, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
        """As `max`, of the smallest element; with a tensor, `minimum`.

        >>> import nnet as nn
        >>> nn.min(nn.tensor([3.0, 1.0, 2.0]))
        tensor(1.)
        """
        if other is not None or isinstance(dim, Operand | np.ndarray):
            return self.minimum(dim if other is None else other)  # type: ignore[attr-defined]
        return _extreme(self, dim, keepdim, np.min, np.argmin)

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> R:
        """The index of the largest element, of the first one if several are equal.

        >>> import nnet as nn
        >>> nn.argmax(nn.tensor([[1.0, 5.0], [4.0, 2.0]]), 1)
        tensor([1, 0])
        """
        return self._record(np.argmax(self.data, dim, keepdims=keepdim), ())

    def argmin(self, dim: int | None = None, keepdim: bool = False) -> R:
        return self._record(np.argmin(self.data, dim, keepdims=keepdim), ())


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
