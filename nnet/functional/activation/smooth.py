"""Functions with derivatives everywhere."""

from __future__ import annotations

from kernels import activation

from ...autograd.tensor import Tensor
from ..check import check_is_tensor, number
from .formula import apply

__all__ = ["sigmoid", "tanh", "gelu", "silu", "softplus", "logsigmoid"]


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + e^-x); integers and bool become float32.

    >>> import nnet as nn, nnet.functional as F
    >>> F.sigmoid(nn.zeros(1))
    tensor([0.5])
    """
    check_is_tensor("sigmoid", input)
    return input.sigmoid()


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent; integers and bool become float32.

    >>> import nnet as nn, nnet.functional as F
    >>> F.tanh(nn.zeros(1))
    tensor([0.])
    """
    check_is_tensor("tanh", input)
    return input.tanh()


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x times the share of the standard normal distribution below x.

    approximate  "none", or "tanh" for (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 as the share

    Raises ValueError for another approximation.

    >>> import nnet as nn, nnet.functional as F
    >>> F.gelu(nn.tensor([-1000.0, 0.0, 2.0]))
    tensor([0.       , 0.       , 1.9544997])
    """
    formulas: dict[str, activation.Formula] = {
        "none": activation.GELU(),
        "tanh": activation.TanhGELU(),
    }
    if approximate not in formulas:
        raise ValueError(f"gelu: expected approximate 'none' or 'tanh', got {approximate!r}")
    return apply("gelu", formulas[approximate], input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x / (1 + e^-x), also called swish; with `inplace` written over the input.

    >>> import nnet as nn, nnet.functional as F
    >>> F.silu(nn.tensor([0.0, 2.0]))
    tensor([0.      , 1.761594])
    """
    return apply("silu", activation.SiLU(), input, inplace)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + e^(beta x)) / beta, and x where beta x > threshold.

    Raises ValueError for beta = 0.

    >>> import nnet as nn, nnet.functional as F
    >>> F.softplus(nn.zeros(1))
    tensor([0.6931472])
    """
    beta, threshold = number("softplus", "beta", beta), number("softplus", "threshold", threshold)
    if beta == 0:
        raise ValueError("softplus: expected beta other than 0, got 0")
    return apply("softplus", activation.Softplus(beta, threshold), input)


def logsigmoid(input: Tensor) -> Tensor:
    """log(1 / (1 + e^-x)), which keeps its digits where sigmoid is 0 or 1.

    >>> import nnet as nn, nnet.functional as F
    >>> F.logsigmoid(nn.tensor([-1000.0, 0.0]))
    tensor([-1.000000e+03, -6.931472e-01])
    """
    return apply("logsigmoid", activation.LogSigmoid(), input)
