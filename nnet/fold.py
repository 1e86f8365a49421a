"""Batch normalization and the layer under it: one layer in use, and one bias too many."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from .container import Sequential
from .conv import Convolution
from .conv_transpose import TransposedConvolution
from .linear import Linear
from .module import Module
from .normalization import BatchNorm
from .parameter import Parameter

Weighted = Linear | Convolution


def fold_batch_norm(model: Module) -> Module:
    """A copy of the model for use, without the batch normalizations behind weighted layers.

    In use batch normalization is a line a channel, y = s x + t with s = gamma / sqrt(var + eps)
    and t = beta - s mean, so behind W u + b the two are one layer: (s W) u + (s b + t).

    Folded are neighbours in a `Sequential`, however deep: Linear or a convolution, transposed or
    not, then a batch normalization with running statistics over its outputs. The model itself
    stays as it is, the copy is in use (`eval`). For two layers alone see `fold_into`.

    >>> import nnet as nn
    >>> model = nn.Sequential(nn.Linear(4, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU())
    >>> nn.fold_batch_norm(model)
    Sequential(
      (0): Linear(in_features=4, out_features=8, bias=True)
      (2): ReLU()
    )
    """
    folded = copy.deepcopy(model).eval()
    for parent, first, second in list(_neighbours(folded)):
        layer, batch_norm = getattr(parent, first), getattr(parent, second)
        if batch_norm.running_mean is not None:
            setattr(parent, first, fold_into(layer, batch_norm))
            delattr(parent, second)
    return folded


def fold_into(layer: Weighted, batch_norm: BatchNorm) -> Weighted:
    """The layer that in use does what `layer` and then `batch_norm` do; both stay as they are.

    Raises TypeError for other layers, ValueError if batch_norm keeps no running statistics or has
    another number of channels.

    >>> import nnet as nn
    >>> nn.fold_into(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8)).bias.shape
    (8,)
    """
    if not isinstance(layer, Weighted) or not isinstance(batch_norm, BatchNorm):
        raise TypeError(
            "fold_into: expected a Linear or convolution and a batch normalization, got "
            f"{type(layer).__name__} and {type(batch_norm).__name__}"
        )
    mean, var = batch_norm.running_mean, batch_norm.running_var
    if mean is None or var is None:
        raise ValueError("fold_into: expected a batch normalization with running statistics")
    if _outputs(layer) != batch_norm.num_features:
        raise ValueError(
            f"fold_into: expected a batch normalization of {_outputs(layer)} channels, got "
            f"{batch_norm.num_features}"
        )
    scale = 1 / np.sqrt(var.data.astype(np.float64) + batch_norm.eps)
    if batch_norm.weight is not None:
        scale *= batch_norm.weight.data
    shift = -mean.data * scale
    if batch_norm.bias is not None:
        shift += batch_norm.bias.data
    if layer.bias is not None:
        shift += layer.bias.data * scale
    folded = copy.deepcopy(layer)
    dtype = layer.weight.data.dtype
    folded.weight = Parameter(_scaled(layer, scale).astype(dtype))
    folded.bias = Parameter(shift.astype(dtype))
    return folded


def dead_biases(model: Module) -> list[str]:
    """Names of the biases right under a batch normalization; warns if there are any.

    The mean takes away what such a bias adds, so it changes no output in training and gets no
    gradient: dead weight, in memory and in every step, and the paper leaves it out (section 3.2,
    z = g(BN(W u))). `remove_dead_biases` makes the layers without. Looks at neighbours in a
    `Sequential`, however deep.

    >>> import nnet as nn
    >>> nn.dead_biases(nn.Sequential(nn.Linear(4, 8, bias=False), nn.BatchNorm1d(8)))
    []
    """
    dead = {
        id(getattr(parent, first))
        for parent, first, _ in _neighbours(model)
        if getattr(parent, first).bias is not None
    }
    names = [f"{path}.bias" for path, module in model.named_modules() if id(module) in dead]
    if names:
        warnings.warn(
            f"{', '.join(names)}: without effect, for batch normalization follows; "
            "give these layers bias=False, or call nnet.remove_dead_biases(model)",
            stacklevel=2,
        )
    return names


def remove_dead_biases(model: Module) -> Module:
    """Take away the biases that `dead_biases` finds, and return the model.

    Outputs stay the same to rounding: in training anyway, in use because the running mean takes
    over. Call it before an optimizer is given the parameters.

    >>> import nnet as nn
    >>> nn.remove_dead_biases(nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8)))[0].bias is None
    True
    """
    for parent, first, second in _neighbours(model):
        layer, batch_norm = getattr(parent, first), getattr(parent, second)
        if layer.bias is not None:
            if batch_norm.running_mean is not None:
                batch_norm.running_mean.data -= layer.bias.data
            layer.bias = None
    return model


def _neighbours(model: Module) -> Iterator[tuple[Module, str, str]]:
    """Sequentials, and the names in them of a weighted layer and the normalization behind it."""
    for parent in model.modules():
        if not isinstance(parent, Sequential):
            continue
        for (first, layer), (second, after) in pairwise(parent.named_children()):
            if (
                isinstance(layer, Weighted)
                and isinstance(after, BatchNorm)
                and after.num_features == _outputs(layer)
                and not (layer._forward_hooks or after._forward_hooks)
            ):
                yield parent, first, second


def _outputs(layer: Weighted) -> int:
    return layer.out_features if isinstance(layer, Linear) else layer.out_channels


def _scaled(layer: Weighted, scale: np.ndarray) -> np.ndarray:
    """The weight, (out, ...) or transposed (in, out / groups, ...), times scale (out,)."""
    weight = layer.weight.data
    if not isinstance(layer, TransposedConvolution):
        return weight * scale.reshape(-1, *[1] * (weight.ndim - 1))
    inputs, outputs, *kernel = weight.shape
    grouped = weight.reshape(layer.groups, inputs // layer.groups, outputs, *kernel)
    factors = scale.reshape(layer.groups, 1, outputs, *[1] * len(kernel))
    return (grouped * factors).reshape(weight.shape)
