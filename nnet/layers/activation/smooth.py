"""Layers with a derivative everywhere."""

from __future__ import annotations

from ... import functional
from ...autograd.tensor import Tensor
from ...module.module import Module

__all__ = ["Sigmoid", "Tanh", "GELU", "SiLU", "Softplus", "LogSigmoid"]


class Sigmoid(Module):
    """1 / (1 + e^-x), from 0 to 1; the gradient y (1 - y) is at most 1/4.

    It saturates: beyond |x| = 10 the gradient is below 5e-5 and learning stops. Its outputs are
    all positive, so the gradients of the weights of a unit behind it share one sign for each
    sample, and its steps zig-zag.

    >>> import nnet as nn
    >>> nn.Sigmoid()(nn.zeros(2))
    tensor([0.5, 0.5])
    """

    def forward(self, input: Tensor) -> Tensor:
        return functional.sigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent, 2 sigmoid(2x) - 1: centred at 0; the gradient is 1 - y^2.

    >>> import nnet as nn
    >>> nn.Tanh()(nn.zeros(2))
    tensor([0., 0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return functional.tanh(input)


class GELU(Module):
    """x P(Z < x) for a standard normal Z: a gate that opens with the size of x.

    approximate="tanh" takes (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 for the probability.
    The gradient is P(Z < x) + x times the normal density. Hendrycks & Gimpel 2016.

    >>> import nnet as nn
    >>> nn.GELU()(nn.tensor([-1000.0, 0.0, 2.0]))
    tensor([0.       , 0.       , 1.9544997])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return functional.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """x sigmoid(x), also called swish; the gradient is s (1 + x (1 - s)).

    With `inplace` the input is overwritten. Elfwing, Uchibe & Doya 2018.

    >>> import nnet as nn
    >>> nn.SiLU()(nn.tensor([0.0, 2.0]))
    tensor([0.      , 1.761594])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return functional.silu(input, self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Softplus(Module):
    """log(1 + e^(beta x)) / beta, a smooth ReLU that is always positive.

    The gradient is sigmoid(beta x); where beta x > threshold the function is x. Dugas et al. 2001.

    >>> import nnet as nn
    >>> nn.Softplus()(nn.zeros(1))
    tensor([0.6931472])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        return functional.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class LogSigmoid(Module):
    """log(sigmoid(x)), which is x far below 0, where sigmoid is 0; the gradient is sigmoid(-x).

    >>> import nnet as nn
    >>> nn.LogSigmoid()(nn.tensor([-1000.0]))
    tensor([-1000.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return functional.logsigmoid(input)
