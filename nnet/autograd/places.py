"""Where elements lie that a tensor of indices along one axis names."""

from __future__ import annotations

from typing import Any

import numpy as np

from .operand import Operand
from .shaping import axis


def places_of(name: str, x: np.ndarray, dim: int, index: Any) -> np.ndarray:
    """For each entry of the index its element's place in x.ravel().

    The entry counts along `dim`; along the other axes an element lies where its entry does.
    """
    dim = axis(dim, x.ndim or 1)
    shape = x.shape or (1,)
    check_index(name, index, shape[dim])
    entries = index.data
    if not entries.size:
        return np.empty(entries.shape, np.int64)
    sizes = entries.shape or (1,)
    if len(sizes) != len(shape) or any(
        size > least for i, (size, least) in enumerate(zip(sizes, shape, strict=True)) if i != dim
    ):
        raise ValueError(
            f"{name}: expected an index of as many axes as {x.shape}, none longer but {dim}, "
            f"got shape {entries.shape}"
        )
    places, step = np.zeros(sizes, np.int64), 1
    for i in reversed(range(len(shape))):
        along = np.arange(sizes[i]).reshape(-1, *(1,) * (len(sizes) - 1 - i))
        places += step * (entries.reshape(sizes) if i == dim else along)
        step *= shape[i]
    return places.reshape(entries.shape)


def sums_at(dy: np.ndarray, places: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Zeros of that shape with each element of dy added at its place, in float64."""
    size = int(np.prod(shape))
    sums = np.bincount(places.reshape(-1), dy.reshape(-1), size)
    return sums.astype(dy.dtype, copy=False).reshape(shape)


def rows_at(dy: np.ndarray, chosen: np.ndarray, dim: int, shape: tuple[int, ...]) -> np.ndarray:
    """Zeros of that shape with each entry of dy along `dim` added to the one it was taken from."""
    dx = np.zeros(shape, dy.dtype)
    order = np.argsort(chosen, kind="stable")
    first = np.flatnonzero(np.diff(chosen[order], prepend=-1))
    if first.size:
        rows = np.moveaxis(dy, dim, 0)[order]
        sums = np.add.reduceat(rows, first, axis=0, dtype=np.float64)
        np.moveaxis(dx, dim, 0)[chosen[order[first]]] = sums
    return dx


def check_index(name: str, index: Any, length: int) -> None:
    """TypeError for what is no tensor of int32 or int64, IndexError for one out of range."""
    dtype = index.data.dtype if isinstance(index, Operand) else type(index).__name__
    if dtype not in (np.int32, np.int64) and (not isinstance(index, Operand) or index.data.size):
        raise TypeError(f"{name}: expected index to be a tensor of int32 or int64, got {dtype}")
    wrong = index.data[(index.data < 0) | (index.data >= length)]
    if wrong.size:
        raise IndexError(f"{name}: expected indices from 0 to {length - 1}, got {wrong[0]}")
