"""Tensor methods that put elements in order."""

from __future__ import annotations

import numpy as np

from .extremes import ValuesAndIndices
from .integers import as_integer
from .operand import Operand, R
from .shaping import axis

__all__ = ["sort", "argsort", "topk"]


class Ordering(Operand[R]):
    """NaN counts as the largest; equal elements keep their order, also where it is descending.

    Gradients go to the elements that the values are; indices have none. Raises IndexError for an
    axis that is not there.
    """

    __slots__ = ()

    def sort(
        self, dim: int = -1, descending: bool = False, *, stable: bool = True
    ) -> ValuesAndIndices:
        """(values, indices) in order along `dim`; always stable.

        >>> import nnet as nn
        >>> values, indices = nn.sort(nn.tensor([2.0, 3.0, 1.0]), descending=True)
        >>> values, indices
        (tensor([3., 2., 1.]), tensor([1, 0, 2]))
        """
        return _taken(self, _order(self.data, dim, descending), dim)

    def argsort(self, dim: int = -1, descending: bool = False, *, stable: bool = True) -> R:
        """The indices that put the elements in order along `dim`; always stable.

        >>> import nnet as nn
        >>> nn.argsort(nn.tensor([2.0, 3.0, 1.0]))
        tensor([2, 0, 1])
        """
        return self._record(_order(self.data, dim, descending), ())

    def topk(
        self, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
    ) -> ValuesAndIndices:
        """(values, indices) of the k largest elements along `dim`, or of the k smallest.

        k        from 0 to the length of the axis
        largest  the largest first, else the smallest first
        sorted   changes nothing: they always are

        Raises TypeError for bool and for a k that is no integer, ValueError for a k out of range.

        >>> import nnet as nn
        >>> values, indices = nn.topk(nn.tensor([2.0, 3.0, 1.0]), 2)
        >>> values, indices
        (tensor([3., 2.]), tensor([1, 0]))
        """
        x = self.data
        if x.dtype.kind == "b":
            raise TypeError("topk: expected floats or integers, got bool")
        dim = axis(dim, x.ndim or 1)
        length = x.shape[dim] if x.ndim else 1
        count = as_integer(k)
        if count is None:
            raise TypeError(f"topk: expected k as an integer, got {k!r}")
        if not 0 <= count <= length:
            raise ValueError(f"topk: expected k from 0 to {length}, got {k}")
        return _taken(self, _first(x, count, dim, largest), dim)


sort, argsort, topk = Ordering.sort, Ordering.argsort, Ordering.topk


def _order(x: np.ndarray, dim: int, descending: bool) -> np.ndarray:
    dim = axis(dim, x.ndim or 1)
    if not x.ndim:
        return np.zeros((), np.int64)
    if not descending:
        return np.argsort(x, dim, kind="stable")
    backwards = np.argsort(np.flip(x, dim), dim, kind="stable")
    return x.shape[dim] - 1 - np.flip(backwards, dim)


def _first(x: np.ndarray, count: int, dim: int, largest: bool) -> np.ndarray:
    """The indices of the first `count` in order; only these are sorted."""
    if not x.ndim:
        return np.zeros((), np.int64)
    length = x.shape[dim]
    if 0 < count < length:
        pivot = length - count if largest else count - 1
        found = np.argpartition(x, pivot, dim)
        part = np.arange(pivot, length) if largest else np.arange(count)
        found = np.sort(np.take(found, part, dim), dim)
    else:
        found = np.argsort(x, dim, kind="stable")
    order = _order(np.take_along_axis(x, found, dim), dim, largest)
    return np.take_along_axis(found, order, dim).take(range(count), dim)


def _taken(tensor: Operand[R], indices: np.ndarray, dim: int) -> ValuesAndIndices:
    """The elements at those places along an axis, each at most once."""
    x = tensor.data
    if not x.ndim:
        values = tensor._record(x.copy(), (tensor,), lambda dy: dy)
        return ValuesAndIndices(values, tensor._record(indices, ()))
    shape = x.shape

    def backward(dy: np.ndarray) -> np.ndarray:
        dx = np.zeros(shape, dy.dtype)
        np.put_along_axis(dx, indices, dy, dim)
        return dx

    values = tensor._record(np.take_along_axis(x, indices, dim), (tensor,), backward)
    return ValuesAndIndices(values, tensor._record(indices, ()))
