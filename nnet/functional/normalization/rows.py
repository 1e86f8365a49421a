"""Weights as matrices with a row for each unit."""

from __future__ import annotations

import numpy as np


def as_rows(weight: np.ndarray, dim: int | None) -> np.ndarray:
    """(units, M), where axis `dim` counts units; one row of everything if it is None."""
    if dim is None:
        return weight.reshape(1, -1)
    return np.moveaxis(weight, dim, 0).reshape(weight.shape[dim], -1)


def from_rows(rows: np.ndarray, shape: tuple[int, ...], dim: int | None) -> np.ndarray:
    """The weight of that shape again."""
    if dim is None or dim == 0:
        return rows.reshape(shape)
    others = [size for axis, size in enumerate(shape) if axis != dim]
    return np.moveaxis(rows.reshape(shape[dim], *others), 0, dim)
