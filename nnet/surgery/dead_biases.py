"""Biases under a batch normalization, which do nothing."""

from __future__ import annotations

import warnings

from ..autograd.parameter import Parameter
from ..module.module import Module
from .neighbours import neighbours

__all__ = ["dead_biases", "remove_dead_biases"]


def dead_biases(model: Module) -> list[str]:
    """Names of the biases right under a batch normalization; warns if there are any.

    The mean takes away what such a bias adds, so it changes no output in training and gets no
    gradient: dead weight, in memory and in every step, and the paper leaves it out (section 3.2,
    z = g(BN(W u))). `remove_dead_biases` makes the layers without. Looks at neighbours in a
    `Sequential`, however deep, as `fold_batch_norm` does.

    >>> import nnet as nn
    >>> nn.dead_biases(nn.Sequential(nn.Linear(4, 8, bias=False), nn.BatchNorm1d(8)))
    []
    """
    dead = {
        id(getattr(parent, first))
        for parent, first, _ in neighbours(model)
        if _bias_of(getattr(parent, first)) is not None
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
    for parent, first, second in neighbours(model):
        layer, batch_norm = getattr(parent, first), getattr(parent, second)
        if _bias_of(layer) is not None:
            if batch_norm.running_mean is not None:
                batch_norm.running_mean.data -= layer.bias.data
            layer.bias = None
    return model


def _bias_of(layer: Module) -> Parameter | None:
    """A bias that can be taken away: one that is not computed from others."""
    bias = vars(layer).get("bias")
    return bias if isinstance(bias, Parameter) else None
