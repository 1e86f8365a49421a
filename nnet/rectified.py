"""A layer and ReLU behind it."""

from __future__ import annotations

from .activation import ReLU
from .module import Module, fuses, is_plain
from .normalization import BatchNorm
from .tensor import Tensor


def rectified(module: Module, input: Tensor, residual: Tensor | None = None) -> Tensor:
    """relu(module(input) + residual), as one kernel where the module can."""
    if fuses(module) is ReLU and is_plain(module):
        if residual is None:
            return module.forward(input, relu=True)
        if isinstance(module, BatchNorm):
            return module.forward(input, relu=True, residual=residual)
    output = module(input)
    return (output if residual is None else output + residual).relu()
