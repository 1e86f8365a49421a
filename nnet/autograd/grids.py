"""Grids of all combinations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .tensor import Tensor

__all__ = ["meshgrid"]


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """For vectors of lengths S1, S2, ... tensors of shape (S1, S2, ...): each varies along its own.

    tensors   one by one or in a sequence, of one axis or none, all of one dtype
    indexing  "ij", the default, or "xy", which swaps the first two axes

    The results are views. Raises TypeError for dtypes that differ, ValueError for more axes than
    one and for another indexing.

    >>> import nnet as nn
    >>> rows, columns = nn.meshgrid(nn.arange(2), nn.arange(3), indexing="ij")
    >>> rows, columns
    (tensor([[0, 0, 0],
            [1, 1, 1]]), tensor([[0, 1, 2],
            [0, 1, 2]]))
    """
    if len(tensors) == 1 and isinstance(tensors[0], Sequence):
        tensors = tuple(tensors[0])
    if not tensors or not all(isinstance(each, Tensor) for each in tensors):
        kinds = [type(each).__name__ for each in tensors]
        raise TypeError(f"meshgrid: expected one tensor or more, got {kinds}")
    dtypes = {each.dtype.name for each in tensors}
    if len(dtypes) > 1:
        raise TypeError(f"meshgrid: expected tensors of one dtype, got {sorted(dtypes)}")
    if any(each.ndim > 1 for each in tensors):
        shapes = [each.shape for each in tensors]
        raise ValueError(f"meshgrid: expected tensors of one axis at most, got shapes {shapes}")
    if indexing not in (None, "ij", "xy"):
        raise ValueError(f"meshgrid: expected indexing 'ij' or 'xy', got {indexing!r}")
    shape = [each.numel() for each in tensors]
    places = list(range(len(shape)))
    if indexing == "xy" and len(shape) > 1:
        shape[:2], places[:2] = shape[1::-1], [1, 0]
    grids = []
    for tensor, place in zip(tensors, places, strict=True):
        row = [1] * len(shape)
        row[place] = tensor.numel()
        grids.append(tensor.reshape(row).expand(shape))
    return tuple(grids)
