"""Tensor methods that move elements and compute nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .broadcasting import fit, wanted
from .history import record_view
from .in_place import array_index
from .integers import as_integer
from .operand import Operand, R


class Shaping(Operand[R]):
    """Where NumPy gives a view, the result shares the tensor's memory."""

    __slots__ = ()

    def reshape(self, *shape: Any) -> R:
        """Sizes one by one or in a tuple; one of them may be -1."""
        before, after = self.data.shape, sizes_of(shape)
        return record_view(self, lambda x: x.reshape(after), lambda dy: dy.reshape(before))

    view = reshape

    def view_as(self, other: Operand) -> R:
        return self.reshape(other.data.shape)

    reshape_as = view_as

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> R:
        """Join the axes from start_dim to end_dim into one; the tensor itself if that is one."""
        shape = self.data.shape or (1,)
        first, last = axis(start_dim, len(shape)), axis(end_dim, len(shape))
        if first > last:
            raise ValueError(
                f"flatten: expected start_dim <= end_dim, got {start_dim} and {end_dim}"
            )
        if first == last and self.data.shape:
            return self  # type: ignore[return-value]
        joined = math.prod(shape[first : last + 1])
        return self.reshape(*shape[:first], joined, *shape[last + 1 :])

    def unflatten(self, dim: int, sizes: Sequence[int]) -> R:
        """Split the axis `dim` into several."""
        shape = self.data.shape
        dim = axis(dim, len(shape))
        return self.reshape(*shape[:dim], *sizes, *shape[dim + 1 :])

    def squeeze(self, dim: int | Sequence[int] | None = None) -> R:
        """Drop axes of size one: all of them, or those of `dim` that are of size one."""
        shape = self.data.shape
        if dim is None:
            return self.reshape([size for size in shape if size != 1])
        given = dim if isinstance(dim, tuple | list) else [dim]
        dims = [axis(each, len(shape) or 1) for each in given]  # type: ignore[arg-type]
        return self.reshape([s for i, s in enumerate(shape) if s != 1 or i not in dims])

    def unsqueeze(self, dim: int) -> R:
        """A new axis of size one, before axis `dim`."""
        shape = self.data.shape
        dim = axis(dim, len(shape) + 1)
        return self.reshape(shape[:dim] + (1,) + shape[dim:])

    def permute(self, *dims: Any) -> R:
        """Axis i of the result is axis dims[i]."""
        order = [axis(dim, self.data.ndim) for dim in sizes_of(dims)]
        inverse = np.argsort(order)
        return record_view(self, lambda x: x.transpose(order), lambda dy: dy.transpose(inverse))

    def transpose(self, dim0: int, dim1: int) -> R:
        """Swap two axes."""
        axes = self.data.ndim
        first, second = axis(dim0, axes or 1), axis(dim1, axes or 1)
        if not axes:
            return record_view(self, lambda x: x.view(), lambda dy: dy)
        return record_view(
            self, lambda x: x.swapaxes(first, second), lambda dy: dy.swapaxes(first, second)
        )

    def t(self) -> R:
        """A matrix's transpose."""
        if self.data.ndim > 2:
            raise ValueError(f"t: expected at most 2 axes, got shape {self.data.shape}")
        return record_view(self, lambda x: x.T, lambda dy: dy.T)

    @property
    def T(self) -> R:
        """The axes in reverse order."""
        return record_view(self, lambda x: x.T, lambda dy: dy.T)

    def expand(self, *sizes: Any) -> R:
        """Broadcast; -1 keeps a size."""
        shape = list(sizes_of(sizes))
        added = len(shape) - self.data.ndim
        shape = [self.data.shape[i - added] if s == -1 else s for i, s in enumerate(shape)]
        before = wanted(self)
        return record_view(self, lambda x: np.broadcast_to(x, shape), lambda dy: fit(dy, before))

    def expand_as(self, other: Operand) -> R:
        return self.expand(other.data.shape)

    def contiguous(self) -> R:
        """The tensor itself if its elements lie in C order, else a copy."""
        if self.data.flags.c_contiguous:
            return self  # type: ignore[return-value]
        return self._record(self.data.copy(), (self,), lambda dy: dy)

    def clone(self) -> R:
        """A copy; its gradient flows to the original."""
        return self._record(self.data.copy(), (self,), lambda dy: dy)

    def __getitem__(self, position: Any) -> R:
        """NumPy's indexing: integers, slices, None, ..., arrays or tensors of integers or bool.

        As in PyTorch a list that holds more than numbers is one position an axis, like a tuple.
        """
        index = array_index(position)
        shape, dtype = self.data.shape, self.data.dtype

        def backward(dy: np.ndarray) -> np.ndarray:
            dx = np.zeros(shape, dtype)
            if _hits_once(index):
                dx[index] = dy
            else:
                np.add.at(dx, index, dy)
            return dx

        return record_view(self, lambda x: _part(x, index), backward)


def _part(x: np.ndarray, index: Any) -> np.ndarray:
    """x[index], a view also where NumPy makes a number of a single element."""
    part = x[index]
    if type(part) is np.ndarray:
        return part
    return x[(*index, ...) if isinstance(index, tuple) else (index, ...)]


def axis(dim: int, ndim: int) -> int:
    """`dim` counted from the front; IndexError if there is no such axis."""
    if type(dim) is not int:
        dim = _whole(dim)
    if not -ndim <= dim < ndim:
        raise IndexError(f"dim: expected {-ndim} to {ndim - 1}, got {dim}")
    return dim % ndim


def _whole(number: Any) -> int:
    integer = as_integer(number)
    if integer is None:
        raise TypeError(f"expected an integer, got {number!r}")
    return integer


def sizes_of(sizes: tuple) -> tuple[int, ...]:
    if len(sizes) == 1 and not isinstance(sizes[0], int | np.integer):
        return tuple(sizes[0])
    return sizes


def _hits_once(index: Any) -> bool:
    """Whether no element can be picked twice: no array of integers in the index."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        part is None
        or part is Ellipsis
        or isinstance(part, int | np.integer | slice)
        or (isinstance(part, np.ndarray) and (part.dtype == bool or part.ndim == 0))
        for part in parts
    )
