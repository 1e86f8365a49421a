"""Spectral normalization: a weight over its largest singular value."""

from __future__ import annotations

from functools import partial
from typing import TypeVar

from .. import random
from ..autograd.parameter import Parameter
from ..autograd.tensor import Tensor
from ..autograd.writes import wrote
from ..functional.normalization.rows import as_rows
from ..functional.normalization.spectral_norm import iterate, spectral_normalized, unit
from ..layers.weighted import Weighted
from ..module.module import Module
from ..module.parametrized import compute_on_reading, keep_computed, weight_of

__all__ = ["spectral_norm", "remove_spectral_norm"]

M = TypeVar("M", bound=Module)

# At the start, so that the first weights are near the mark; later one an update is enough,
# for weights move slowly.
_FIRST_ITERATIONS = 15


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> M:
    """Divide a weight by its largest singular value, so that the layer stretches nothing.

    sigma = u' W v with u and v from power iteration, v = W'u / |W'u|, u = Wv / |Wv|, continued by
    n_power_iterations each time the weight is read in training, kept as they are in use. They
    count as constants: dW = (dw - (sum of dw * w) u v') / sigma for w = W / sigma. Keeps a GAN's
    discriminator Lipschitz. Miyato, Kataoka, Koyama & Yoshida 2018.

    module  is changed in place and returned; parameter `name` becomes `name`_orig, with buffers
            `name`_u and `name`_v, the names of `torch.nn.utils.spectral_norm`, so make the
            optimizer afterwards
    eps     the least length that u and v are divided by
    dim     the axis that counts outputs, the others make one axis of inputs; None for 0, or 1 for
            transposed convolutions

    Raises TypeError for what is no module; ValueError where the parameter is not there or is
    computed already, for less than two axes, and for n_power_iterations, eps or dim out of range.

    >>> import nnet as nn, numpy as np
    >>> layer = nn.spectral_norm(nn.Linear(4, 3), n_power_iterations=100)
    >>> bool(abs(np.linalg.norm(layer.weight.data, 2) - 1) < 1e-3)
    True
    """
    weight = weight_of("spectral_norm", module, name)
    if dim is None:
        dim = module.units_axis if isinstance(module, Weighted) and name == "weight" else 0
    if weight.ndim < 2 or not 0 <= dim < weight.ndim:
        raise ValueError(
            f"spectral_norm: expected a parameter of two axes or more and dim one of them, "
            f"got shape {weight.shape} and dim {dim}"
        )
    if n_power_iterations < 1 or not eps > 0:
        raise ValueError(
            f"spectral_norm: expected n_power_iterations >= 1 and eps > 0, "
            f"got {n_power_iterations} and {eps}"
        )
    matrix = as_rows(weight.data, dim)
    draw = random.generator().standard_normal
    u, v = (unit(draw(size, weight.dtype), eps) for size in matrix.shape)
    iterate(matrix, u, v, _FIRST_ITERATIONS, eps)
    parts = f"{name}_orig", f"{name}_u", f"{name}_v"
    compute = partial(_computed, parts=parts, times=n_power_iterations, eps=eps, dim=dim)
    compute_on_reading(module, name, compute)
    setattr(module, parts[0], Parameter(weight.data))
    module.register_buffer(parts[1], Tensor(u))
    module.register_buffer(parts[2], Tensor(v))
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Make the normalized weight a parameter again.

    >>> import nnet as nn
    >>> list(nn.remove_spectral_norm(nn.spectral_norm(nn.Linear(3, 2))).state_dict())
    ['bias', 'weight']
    """
    parts = f"{name}_orig", f"{name}_u", f"{name}_v"
    return keep_computed("remove_spectral_norm", module, name, parts)


def _computed(
    module: Module, parts: tuple[str, str, str], times: int, eps: float, dim: int
) -> Tensor:
    original, *vectors = (getattr(module, part) for part in parts)
    u, v = (each.data for each in vectors)
    if module.training:
        iterate(as_rows(original.data, dim), u, v, times, eps)
        wrote(u)
        wrote(v)
    return spectral_normalized(original, u.copy(), v.copy(), dim)
