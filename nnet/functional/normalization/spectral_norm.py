"""Weights over their largest singular value."""

from __future__ import annotations

import numpy as np

from ...autograd.results import record
from ...autograd.tensor import Tensor
from .rows import as_rows, from_rows


def iterate(matrix: np.ndarray, u: np.ndarray, v: np.ndarray, times: int, eps: float) -> None:
    """Power iteration, in place: u and v become the vectors of the largest singular value."""
    for _ in range(times):
        v[...] = unit(u @ matrix, eps)
        u[...] = unit(matrix @ v, eps)


def unit(vector: np.ndarray, eps: float) -> np.ndarray:
    """Of length 1, or below where it was below eps."""
    length = max(float(np.linalg.norm(vector)), eps)
    return vector / vector.dtype.type(length)


def spectral_normalized(weight: Tensor, u: np.ndarray, v: np.ndarray, dim: int) -> Tensor:
    """weight / sigma with sigma = u' W v, u and v constants."""
    sigma = u @ (as_rows(weight.data, dim) @ v)
    w = weight.data / sigma

    def backward(dw: np.ndarray) -> np.ndarray:
        along = np.vdot(dw, w)
        rows = as_rows(dw, dim) - along * np.outer(u, v)
        return from_rows(rows, dw.shape, dim) / sigma

    return record(w, (weight,), backward)
