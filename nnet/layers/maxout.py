"""Layers whose units are the greatest of several linear maps."""

from __future__ import annotations

from typing import Any

from .. import functional
from ..autograd.tensor import Tensor
from ..functional.convolution.conv import Pair
from .convolution.conv import Conv2d
from .linear import Linear

__all__ = ["Maxout", "MaxoutConv2d"]


class Maxout(Linear):
    """y = max over k of W_k x + b_k, x (..., in_features), y (..., out_features).

    A convex piecewise linear function that is learned. It has linear regions only, so nothing
    saturates and no unit dies, at the price of `pieces` times the parameters. With two pieces, one
    of them 0, it is ReLU. The gradient goes to the greatest piece, the first where several are
    equal. Goodfellow et al. 2013.

    weight  (pieces * out_features, in_features), the first piece first; initialized as Linear's
    bias    (pieces * out_features,), or None

    >>> import nnet as nn
    >>> nn.Maxout(3, 2, pieces=4)(nn.ones(5, 3)).shape
    (5, 2)
    """

    def __init__(
        self, in_features: int, out_features: int, pieces: int = 2, bias: bool = True, **named: Any
    ) -> None:
        _check_pieces("Maxout", pieces)
        super().__init__(in_features, pieces * out_features, bias, **named)
        self.out_features = out_features
        self.pieces = pieces

    def forward(self, input: Tensor, *, relu: bool = False) -> Tensor:
        y = functional.maxout(super().forward(input), self.pieces)
        return functional.relu(y) if relu else y

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"pieces={self.pieces}, bias={self.bias is not None}"
        )


class MaxoutConv2d(Conv2d):
    """The greatest of `pieces` convolutions in each place; see `Maxout`, options of `Conv2d`.

    weight  (pieces * out_channels, in_channels, *kernel_size), the first piece first

    >>> import nnet as nn
    >>> nn.MaxoutConv2d(1, 8, kernel_size=3, padding=1)(nn.ones(2, 1, 9, 9)).shape
    (2, 8, 9, 9)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        pieces: int = 2,
        **named: Any,
    ) -> None:
        _check_pieces("MaxoutConv2d", pieces)
        super().__init__(in_channels, pieces * out_channels, kernel_size, **named)
        self.out_channels = out_channels
        self.pieces = pieces

    def forward(self, input: Tensor, *, relu: bool = False) -> Tensor:
        y = functional.maxout(super().forward(input), self.pieces, dim=-3)
        return functional.relu(y) if relu else y

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, pieces={self.pieces}"


def _check_pieces(name: str, pieces: int) -> None:
    if pieces < 1:
        raise ValueError(f"{name}: expected pieces >= 1, got {pieces}")
