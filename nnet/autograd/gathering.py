"""Tensor methods that read and write elements at places that a tensor of indices names."""

from __future__ import annotations

from typing import Any

import numpy as np

from .broadcasting import tensor_or_none, wanted
from .in_place import overwrite
from .operand import Operand, R
from .places import check_index, places_of, rows_at, sums_at
from .shaping import axis

__all__ = ["gather", "scatter", "scatter_add", "index_select"]


class Gathering(Operand[R]):
    """Indices are tensors of int32 or int64 that count from 0.

    Raises TypeError for indices of another dtype, ValueError for shapes that do not fit, and
    IndexError for an index or an axis that is not there.
    """

    __slots__ = ()

    def gather(self, dim: int, index: Operand, *, sparse_grad: bool = False) -> R:
        """For each entry of the index the element at that place along `dim`.

        index        as many axes as the tensor, none longer than the tensor's but `dim`
        sparse_grad  changes nothing: gradients are dense

        >>> import nnet as nn
        >>> nn.gather(nn.tensor([[1.0, 2.0], [3.0, 4.0]]), 1, nn.tensor([[0, 0], [1, 0]]))
        tensor([[1., 1.],
                [4., 3.]])
        """
        x = self.data
        places = places_of("gather", x, dim, index)
        y, shape = x.ravel()[places], x.shape
        return self._record(y, (self,), lambda dy: sums_at(dy, places, shape))

    def scatter(
        self, dim: int, index: Operand, src: Any = None, *, value: Any = None, reduce: Any = None
    ) -> R:
        """A copy with src written to the places along `dim` that the index names.

        src     a tensor of the tensor's dtype, at least as long as the index; or a number, which
                may also be called `value`
        reduce  "add" or "multiply" instead of writing over; no gradient of "multiply"

        Where a place is named twice, the last one stays.

        >>> import nnet as nn
        >>> nn.scatter(nn.zeros(2, 3), 1, nn.tensor([[0], [2]]), 1.0)
        tensor([[1., 0., 0.],
                [0., 0., 1.]])
        """
        source = value if src is None else src
        if reduce == "add":
            return _add(self, dim, index, source, "scatter")
        if reduce == "multiply":
            return _multiply(self, dim, index, source)
        if reduce is not None:
            raise ValueError(f"scatter: expected reduce as 'add' or 'multiply', got {reduce!r}")
        y, places, part, taken = _prepare("scatter", self, dim, index, source)
        y.reshape(-1)[places] = taken
        shape, of_source = wanted(self), wanted(source)

        def backward(dy: np.ndarray) -> tuple:
            dx = None
            if shape is not None:
                dx = dy.copy(order="C")
                dx.reshape(-1)[places] = 0
            return dx, _of_source(dy, places, part, of_source)

        return self._record(y, (self, tensor_or_none(source)), backward)

    def scatter_add(self, dim: int, index: Operand, src: Operand) -> R:
        """A copy with src added at the places along `dim` that the index names.

        src  a tensor of the tensor's dtype, at least as long as the index

        >>> import nnet as nn
        >>> nn.scatter_add(nn.zeros(3), 0, nn.tensor([1, 1, 2]), nn.ones(3))
        tensor([0., 2., 1.])
        """
        if not isinstance(src, Operand):
            raise TypeError(f"scatter_add: expected src to be a tensor, got {type(src).__name__}")
        return _add(self, dim, index, src, "scatter_add")

    def scatter_(
        self, dim: int, index: Operand, src: Any = None, *, value: Any = None, reduce: Any = None
    ) -> R:
        """`scatter` into the tensor itself."""
        src = value if src is None else src
        return overwrite(
            "scatter_", self, lambda old: old.scatter(dim, index, src, reduce=reduce), src
        )

    def scatter_add_(self, dim: int, index: Operand, src: Operand) -> R:
        """`scatter_add` into the tensor itself."""
        return overwrite("scatter_add_", self, lambda old: old.scatter_add(dim, index, src), src)

    def index_select(self, dim: int, index: Operand) -> R:
        """The entries of the axis `dim` that the index names, in its order.

        index  (n,), or a single one without axes

        >>> import nnet as nn
        >>> nn.index_select(nn.tensor([[1, 2, 3], [4, 5, 6]]), 1, nn.tensor([2, 0]))
        tensor([[3, 1],
                [6, 4]])
        """
        x = self.data
        dim = axis(dim, x.ndim or 1)
        check_index("index_select", index, x.shape[dim] if x.ndim else 1)
        chosen = index.data.reshape(-1)
        if index.data.ndim > 1 or (not x.ndim and chosen.size != 1):
            raise ValueError(
                f"index_select: expected an index of one axis, got shape {index.data.shape} for a "
                f"tensor of shape {x.shape}"
            )
        if not x.ndim:
            return self._record(x.copy(), (self,), lambda dy: dy)
        shape = x.shape
        return self._record(
            np.take(x, chosen, dim), (self,), lambda dy: rows_at(dy, chosen, dim, shape)
        )


gather, index_select = Gathering.gather, Gathering.index_select
scatter, scatter_add = Gathering.scatter, Gathering.scatter_add


def _add(tensor: Operand[R], dim: int, index: Operand, source: Any, name: str) -> R:
    y, places, part, taken = _prepare(name, tensor, dim, index, source)
    if y.dtype.kind == "f":
        y += sums_at(np.broadcast_to(taken, places.shape), places, y.shape)
    else:
        np.add.at(y.reshape(-1), places, taken)
    of_source = wanted(source)
    return tensor._record(
        y,
        (tensor, tensor_or_none(source)),
        lambda dy: (dy, _of_source(dy, places, part, of_source)),
    )


def _multiply(tensor: Operand[R], dim: int, index: Operand, source: Any) -> R:
    y, places, _, taken = _prepare("scatter", tensor, dim, index, source)
    if tensor.requires_grad or wanted(source) is not None:
        raise RuntimeError("scatter: expected tensors without gradients for 'multiply'")
    np.multiply.at(y.reshape(-1), places, taken)
    return tensor._record(y, ())


def _prepare(name: str, tensor: Operand, dim: int, index: Any, source: Any) -> tuple:
    """A copy to write to, its flat places, the part of the source that is read, and its values."""
    x = tensor.data
    places = places_of(name, x, dim, index)
    part = tuple(slice(size) for size in places.shape)
    if not isinstance(source, Operand):
        if not isinstance(source, int | float | np.number):
            raise TypeError(
                f"{name}: expected src as a tensor or a number, got {type(source).__name__}"
            )
        return x.copy(order="C"), places, part, np.asarray(source).astype(x.dtype)
    values = source.data
    if values.dtype != x.dtype:
        raise TypeError(f"{name}: expected src of dtype {x.dtype}, got {values.dtype}")
    if places.size and (
        max(values.ndim, 1) != max(places.ndim, 1)
        or any(a > b for a, b in zip(places.shape, values.shape, strict=False))
    ):
        raise ValueError(
            f"{name}: expected src at least as long as the index {places.shape}, got {values.shape}"
        )
    taken = values[part].reshape(places.shape) if places.size else np.empty(places.shape, x.dtype)
    return x.copy(order="C"), places, part, taken


def _of_source(
    dy: np.ndarray, places: np.ndarray, part: tuple[slice, ...], shape: tuple[int, ...] | None
) -> np.ndarray | None:
    """The gradient of a source: what came to the places that it was written to."""
    if shape is None:
        return None
    dsource = np.zeros(shape, dy.dtype)
    if places.size:
        np.atleast_1d(dsource)[part or ...] = dy.reshape(-1)[places]
    return dsource
