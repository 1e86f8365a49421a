"""The fully connected layer."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .. import functional, init
from ..autograd.parameter import Parameter
from ..autograd.tensor import Tensor
from .activation import ReLU
from .weighted import Weighted

__all__ = ["Linear"]


class Linear(Weighted):
    """y = x weight' + bias, x (..., in_features), y (..., out_features).

    weight  (out_features, in_features), uniform in +-1/sqrt(in_features) at first
    bias    (out_features,), likewise, or None

    >>> import nnet as nn
    >>> nn.Linear(3, 2)(nn.ones(5, 3)).shape
    (5, 2)
    """

    fuses = ReLU

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(np.empty((out_features, in_features), dtype))
        self.bias = Parameter(np.empty(out_features, dtype)) if bias else None
        self.to(device)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the initial values anew."""
        reset_uniform(self.weight, self.bias)

    def forward(self, input: Tensor, *, relu: bool = False) -> Tensor:
        return functional.linear(input, self.weight, self.bias, relu=relu)

    linear_forward = forward

    @property
    def outputs(self) -> int:
        return self.out_features

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


def reset_uniform(weight: Tensor, bias: Tensor | None) -> None:
    """PyTorch's initial values: uniform in +-1/sqrt(fan_in), weight and bias alike."""
    if not weight.numel():
        return
    init.kaiming_uniform_(weight, a=math.sqrt(5))
    if bias is not None:
        bound = 1 / math.sqrt(init.fans(weight)[0])
        init.uniform_(bias, -bound, bound)
