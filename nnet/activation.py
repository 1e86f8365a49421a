"""Nonlinearities as layers."""

from __future__ import annotations

from . import functional
from .module import Module
from .tensor import Tensor


class ReLU(Module):
    """max(x, 0); `inplace` changes nothing.

    >>> import nnet as nn
    >>> nn.ReLU()(nn.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return functional.relu(input)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Sigmoid(Module):
    """1 / (1 + e^-x).

    >>> import nnet as nn
    >>> nn.Sigmoid()(nn.zeros(2))
    tensor([0.5, 0.5])
    """

    def forward(self, input: Tensor) -> Tensor:
        return functional.sigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent.

    >>> import nnet as nn
    >>> nn.Tanh()(nn.zeros(2))
    tensor([0., 0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return functional.tanh(input)


class Softmax(Module):
    """e^x over its sum along `dim`.

    >>> import nnet as nn
    >>> nn.Softmax(dim=1)(nn.zeros(1, 2))
    tensor([[0.5, 0.5]])
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return functional.softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """x - log(sum of e^x along `dim`).

    >>> import nnet as nn
    >>> nn.LogSoftmax(dim=1)(nn.zeros(1, 1))
    tensor([[0.]])
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return functional.log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
