"""A layer and ReLU behind it."""

from __future__ import annotations

from ..autograd.tensor import Tensor
from ..module.calls import fuses, is_plain
from ..module.module import Module
from .activation import ReLU
from .normalization.batch_norm import BatchNorm


def rectified(module: Module, input: Tensor, residual: Tensor | None = None) -> Tensor:
    """relu(module(input) + residual), as one kernel where the module can."""
    if fuses(module) is ReLU and is_plain(module):
        if residual is None:
            return module.forward(input, relu=True)
        if isinstance(module, BatchNorm):
            return module.forward(input, relu=True, residual=residual)
    output = module(input)
    return (output if residual is None else output + residual).relu()
