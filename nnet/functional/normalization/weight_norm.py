"""Weights from lengths and directions."""

from __future__ import annotations

import math

import numpy as np

from kernels import group_norm

from ...autograd.results import record
from ...autograd.tensor import Tensor
from .rows import as_rows, from_rows


def lengths_of(weight: np.ndarray, dim: int | None) -> np.ndarray:
    """Of each unit's weights: float64, of weight's shape with 1 for all axes but `dim`, or ()."""
    rows = as_rows(weight, dim).astype(np.float64)
    lengths = np.sqrt(np.einsum("rm,rm->r", rows, rows))
    if dim is None:
        return lengths.reshape(())
    return lengths.reshape([size if axis == dim else 1 for axis, size in enumerate(weight.shape)])


def weight_normalized(g: Tensor, v: Tensor, dim: int | None) -> Tensor:
    """g v / |v|: root mean square normalization of the rows of v, with gamma = g / sqrt(M)."""
    rows = as_rows(v.data, dim)
    root = math.sqrt(rows.shape[1])
    w, saved = group_norm.forward(
        rows[None],
        (g.data.reshape(-1) / root).astype(v.dtype, copy=False),
        None,
        groups=len(rows),
        eps=0.0,
        centred=False,
    )
    needs = v.requires_grad, g.requires_grad, False

    def backward(dw: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
        dv, dgamma, _ = group_norm.backward(as_rows(dw, dim)[None], saved, needs)
        dg = None if dgamma is None else dgamma.reshape(g.shape) / v.dtype.type(root)
        return dg, None if dv is None else from_rows(dv[0], v.shape, dim)

    return record(from_rows(w[0], v.shape, dim), (g, v), backward)
