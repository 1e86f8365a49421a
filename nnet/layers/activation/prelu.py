"""A rectifier whose slope below 0 is learned."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ... import functional
from ...autograd.parameter import Parameter
from ...autograd.tensor import Tensor
from ...module.module import Module

__all__ = ["PReLU"]


class PReLU(Module):
    """x above 0, weight * x below, and the slope is learned, one for all or one a channel.

    The gradient of a slope is the sum of dy x over x <= 0. Weight decay would pull it to 0, that
    is to ReLU, so it goes into a parameter group without. He et al. 2015.

    weight  (num_parameters,), `init` at first; channels are axis 1

    >>> import nnet as nn
    >>> layer, slope = nn.Linear(2, 3), nn.PReLU(3)
    >>> plain = {"params": slope.parameters(), "weight_decay": 0.0}
    >>> optimizer = nn.optim.SGD(
    ...     [{"params": layer.parameters()}, plain], lr=0.1, weight_decay=1e-4
    ... )
    >>> slope(nn.tensor([[-1.0, 0.0, 2.0]])).detach()
    tensor([[-0.25,  0.  ,  2.  ]])
    """

    def __init__(
        self,
        num_parameters: int = 1,
        init: float = 0.25,
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(np.empty(num_parameters, dtype))
        self.to(device)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Every slope is `init` again."""
        self.weight.data.fill(self.init)

    def forward(self, input: Tensor) -> Tensor:
        return functional.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"
