"""Weight normalization."""

from __future__ import annotations

from functools import partial
from typing import TypeVar

from ..autograd.parameter import Parameter
from ..autograd.tensor import Tensor
from ..functional.normalization.weight_norm import lengths_of, weight_normalized
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
    length, direction = f"{name}_g", f"{name}_v"
    compute_on_reading(module, name, partial(_computed, parts=(length, direction), dim=dim))
    setattr(module, length, Parameter(lengths_of(weight.data, dim).astype(weight.dtype)))
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
    return weight_normalized(g, v, dim)
