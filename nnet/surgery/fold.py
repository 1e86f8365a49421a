"""Batch normalization and the layer under it: one layer in use."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from ..autograd.parameter import Parameter
from ..autograd.recording import no_grad
from ..autograd.tensor import Tensor
from ..layers.normalization.batch_norm import BatchNorm
from ..layers.weighted import Weighted
from ..module.module import Module
from .neighbours import is_line, is_weighted, keeps_its_weight, neighbours, pairs_seen

__all__ = ["fold_batch_norm", "fold_into"]


def fold_batch_norm(model: Module, example: Tensor | None = None) -> Module:
    """A copy of the model for use, without the batch normalizations behind weighted layers.

    In use batch normalization is a line a channel, y = s x + t with s = gamma / sqrt(var + eps)
    and t = beta - s mean, so behind W u + b the two are one layer: (s W) u + (s b + t).

    Folded are neighbours in a `Sequential`, however deep: Linear, of inputs (N, C), or a
    convolution, transposed or not, then a batch normalization with running statistics over its
    outputs. What stands in the model twice, has a hook or a `forward` of its own, or computes its
    weight (`weight_norm`) stays. What a module of one's own calls in its `forward` cannot be read
    off it, so with an `example`, an input of the model, one pass shows which normalization is
    given what a layer returned, and only such are folded; a layer without weights stays in its
    place. The model itself stays as it is, the copy is in use (`eval`). For two layers alone see
    `fold_into`.

    Raises ValueError if the copy differs from the model on the example, as when something else
    too uses what a layer gives its normalization.

    >>> import nnet as nn
    >>> model = nn.Sequential(nn.Linear(4, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU())
    >>> nn.fold_batch_norm(model)
    Sequential(
      (0): Linear(in_features=4, out_features=8, bias=True)
      (2): ReLU()
    )
    """
    folded = copy.deepcopy(model).eval()
    seen, expected = ({}, None) if example is None else pairs_seen(folded, example)
    for parent, first, second in list(neighbours(folded)):
        layer, batch_norm = getattr(parent, first), getattr(parent, second)
        if example is not None and seen.pop((id(layer), id(batch_norm)), None) is None:
            continue
        if keeps_its_weight(layer) and batch_norm.running_mean is not None:
            setattr(parent, first, fold_into(layer, batch_norm))
            delattr(parent, second)
    for layer, batch_norm in seen.values():
        _replace(folded, layer, fold_into(layer, batch_norm))
        _replace(folded, batch_norm, AddAndRectify())
    if example is not None:
        _check_same(folded, example, expected)
    return folded


def fold_into(layer: Weighted, batch_norm: BatchNorm) -> Weighted:
    """The layer that in use does what `layer` and then `batch_norm` do; both stay as they are.

    Raises TypeError for other layers, for those with a `forward` of their own or a weight that is
    computed from others; ValueError if batch_norm keeps no running statistics or has another
    number of channels.

    >>> import nnet as nn
    >>> nn.fold_into(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8)).bias.shape
    (8,)
    """
    if not (is_weighted(layer) and keeps_its_weight(layer) and is_line(batch_norm)):
        raise TypeError(
            "fold_into: expected a Linear or convolution and a batch normalization, both with "
            "their class's own forward and weights that are parameters, got "
            f"{type(layer).__name__} and {type(batch_norm).__name__}"
        )
    mean, var = batch_norm.running_mean, batch_norm.running_var
    if mean is None or var is None:
        raise ValueError("fold_into: expected a batch normalization with running statistics")
    if layer.outputs != batch_norm.num_features:
        raise ValueError(
            f"fold_into: expected a batch normalization of {layer.outputs} channels, got "
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


class AddAndRectify(Module):
    """What is left of a batch normalization that was folded: its residual and its ReLU."""

    def forward(
        self, input: Tensor, *, relu: bool = False, residual: Tensor | None = None
    ) -> Tensor:
        output = input if residual is None else input + residual
        return output.relu() if relu else output


def _check_same(model: Module, example: Tensor, expected: Any) -> None:
    with no_grad():
        actual = model(example)
    for one, other in zip(_arrays(actual), _arrays(expected), strict=True):
        apart = np.abs(one - other).max(initial=0.0)
        if apart > 1e-3 * max(1.0, np.abs(other).max(initial=0.0)):
            raise ValueError(
                "fold_batch_norm: expected what a layer gives its batch normalization to be used "
                f"by that alone, got outputs on the example that differ by {apart:.1e}"
            )


def _arrays(output: Any) -> list[np.ndarray]:
    if isinstance(output, Tensor):
        return [output.data]
    if isinstance(output, dict):
        output = list(output.values())
    if isinstance(output, tuple | list):
        return [each for part in output for each in _arrays(part)]
    return []


def _replace(model: Module, old: Module, new: Module) -> None:
    """Wherever it stands."""
    for parent in list(model.modules()):
        for name, child in list(parent._own(Module)):
            if child is old:
                setattr(parent, name, new)


def _scaled(layer: Weighted, scale: np.ndarray) -> np.ndarray:
    """The weight, (out, ...) or transposed (in, out / groups, ...), times scale (out,)."""
    weight = layer.weight.data
    if not layer.units_axis:
        return weight * scale.reshape(-1, *[1] * (weight.ndim - 1))
    inputs, outputs, *kernel = weight.shape
    grouped = weight.reshape(layer.groups, inputs // layer.groups, outputs, *kernel)
    factors = scale.reshape(layer.groups, 1, outputs, *[1] * len(kernel))
    return (grouped * factors).reshape(weight.shape)
