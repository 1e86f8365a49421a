"""Softmax and its relatives as layers."""

from __future__ import annotations

from ... import functional
from ...autograd.tensor import Tensor
from ...module.module import Module

__all__ = ["Softmax", "LogSoftmax", "Softmin"]


class _Along(Module):
    """What they share: an axis."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_Along):
    """e^x over its sum along `dim`: positive numbers with sum 1.

    Adding a constant to every x changes nothing, so the maximum is taken off before and nothing
    overflows. The gradient is y (dy - sum(dy y)).

    >>> import nnet as nn
    >>> nn.Softmax(dim=1)(nn.zeros(1, 2))
    tensor([[0.5, 0.5]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return functional.softmax(input, self.dim)


class LogSoftmax(_Along):
    """x - log(sum of e^x along `dim`), finite where softmax is 0; `NLLLoss` takes it.

    >>> import nnet as nn
    >>> nn.LogSoftmax(dim=1)(nn.zeros(1, 1))
    tensor([[0.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return functional.log_softmax(input, self.dim)


class Softmin(_Along):
    """Softmax of -x: the least has the greatest share.

    >>> import nnet as nn
    >>> nn.Softmin(dim=0)(nn.tensor([0.0, 1000.0]))
    tensor([1., 0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return functional.softmin(input, self.dim)
