"""Weight normalization."""

from __future__ import annotations

import math
from functools import partial
from typing import TypeVar

import numpy as np

from kernels import group_norm

from ..autograd.parameter import Parameter
from ..autograd.results import record
from ..autograd.tensor import Tensor
from ..module.module import Module
from ..module.parametrized import compute_on_reading, keep_computed, weight_of

__all__ = ["weight_norm", "remove_weight_norm"]

M = TypeVar("M", bound=Module)


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Learn the length and the direction of each unit's weights apart: w = g v / |v|.

    With u = v / |v| the gradients are dg = u . dw and dv = g / |v| (dw - (u . dw) u): dv is
    orthogonal to v, so |v| only grows, and the more dw is noise the faster, which tames the rate
    by itself. Unlike batch normalization nothing depends on the batch, in training or in use; it
    fits recurrent and generative models. Salimans & Kingma 2016.

    module  is changed in place and returned; parameter `name` becomes `name`_g and `name`_v,
            the names of `torch.nn.utils.weight_norm` and the paper's letters, so make the
            optimizer afterwards
    dim     the axis that counts units, 1 of transposed convolutions; None for one length of the
            whole parameter

    Raises TypeError for what is no module; ValueError where the parameter is not there, or is
    computed already, and for dim that is no axis of it.

    >>> import nnet as nn
    >>> layer = nn.weight_norm(nn.Linear(3, 2))
    >>> [(name, each.shape) for name, each in layer.named_parameters()]
    [('bias', (2,)), ('weight_g', (2, 1)), ('weight_v', (2, 3))]
    """
    weight = weight_of("weight_norm", module, name)
    if dim is not None and not 0 <= dim < weight.ndim:
        raise ValueError(f"weight_norm: expected dim from 0 to {weight.ndim - 1}, got {dim}")
    rows = _rows(weight.data, dim).astype(np.float64)
    lengths = np.sqrt(np.einsum("rm,rm->r", rows, rows))
    shape = (
        ()
        if dim is None
        else tuple(size if axis == dim else 1 for axis, size in enumerate(weight.shape))
    )
    length, direction = f"{name}_g", f"{name}_v"
    compute_on_reading(module, name, partial(_computed, parts=(length, direction), dim=dim))
    setattr(module, length, Parameter(lengths.reshape(shape).astype(weight.dtype)))
    setattr(module, direction, Parameter(weight.data))
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Make the weight that g and v give a parameter again.

    >>> import nnet as nn
    >>> list(nn.remove_weight_norm(nn.weight_norm(nn.Linear(3, 2))).state_dict())
    ['bias', 'weight']
    """
    return keep_computed("remove_weight_norm", module, name, (f"{name}_g", f"{name}_v"))


def _computed(module: Module, parts: tuple[str, str], dim: int | None) -> Tensor:
    g, v = (getattr(module, part) for part in parts)
    return _weight(g, v, dim)


def _weight(g: Tensor, v: Tensor, dim: int | None) -> Tensor:
    """g v / |v|: root mean square normalization of the rows of v, with gamma = g / sqrt(M)."""
    rows = _rows(v.data, dim)
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
        dv, dgamma, _ = group_norm.backward(_rows(dw, dim)[None], saved, needs)
        dg = None if dgamma is None else dgamma.reshape(g.shape) / v.dtype.type(root)
        return dg, None if dv is None else _from_rows(dv[0], v.shape, dim)

    return record(_from_rows(w[0], v.shape, dim), (g, v), backward)


def _rows(values: np.ndarray, dim: int | None) -> np.ndarray:
    if dim is None:
        return values.reshape(1, -1)
    return np.moveaxis(values, dim, 0).reshape(values.shape[dim], -1)


def _from_rows(rows: np.ndarray, shape: tuple[int, ...], dim: int | None) -> np.ndarray:
    if dim is None or dim == 0:
        return rows.reshape(shape)
    others = [size for axis, size in enumerate(shape) if axis != dim]
    return np.moveaxis(rows.reshape(shape[dim], *others), 0, dim)
