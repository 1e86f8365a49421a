"""Convolution layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ... import functional
from ...autograd.tensor import Tensor
from ...functional.convolution.conv import Pair
from ..activation import ReLU
from .convolution import Convolution

__all__ = ["Conv1d", "Conv2d"]


class Conv(Convolution):
    """What `Conv1d` and `Conv2d` share: the constructor, and padding of several kinds."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair | str = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        sizes = kernel_size, stride, padding, dilation, 0
        super().__init__(
            in_channels, out_channels, sizes, groups, bias, padding_mode, device, dtype
        )

    def forward(self, input: Tensor, *, relu: bool = False) -> Tensor:
        x, zeros = self._padded(input)
        options = self.stride, zeros, self.dilation, self.groups
        return type(self).FUNCTION(x, self.weight, self.bias, *options, relu=relu)

    linear_forward = forward

    def _padded(self, input: Tensor) -> tuple[Tensor, Any]:
        """The input with what padding_mode puts around it, and the zeros that are still to add."""
        if self.padding_mode == "zeros":
            return input, self.padding
        if self.padding == "valid":
            return input, 0
        if isinstance(self.padding, str):
            total = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
            widths = [(t // 2, t - t // 2) for t in total]
        else:
            widths = [(p, p) for p in self.padding]
        around = [width for pair in reversed(widths) for width in pair]
        return functional.pad(input, around, self.padding_mode), 0


class Conv1d(Conv):
    """Cross-correlation of series (N, C, L) or (C, L) with filters, as `Conv2d` of images.

    One filter looks at every place of the series in turn, so what it knows it knows everywhere:
    y[k, p] = bias[k] + sum over c, i of weight[k, c, i] x[c, stride p + dilation i - padding].

    weight  (out_channels, in_channels / groups, kernel_size), uniform in +-1/sqrt(fan_in)
    bias    (out_channels,), likewise, or None

    >>> import nnet as nn
    >>> nn.Conv1d(4, 8, kernel_size=3, padding=1)(nn.ones(2, 4, 100)).shape
    (2, 8, 100)
    """

    axes = 1
    fuses = ReLU
    FUNCTION = staticmethod(functional.conv1d)


class Conv2d(Conv):
    """Cross-correlation of images (N, C, H, W) or (C, H, W) with filters.

    y[k, p] = bias[k] + sum over c, i of weight[k, c, i] x[c, stride p + dilation i - padding],
    with places p and i of two axes. The gradient to x is the transposed convolution of dy, that
    to weight the correlation of x with dy. LeCun et al. 1989.

    Sizes are one integer or (vertical, horizontal); padding also "valid" or "same".

    weight        (out_channels, in_channels / groups, *kernel_size), uniform in +-1/sqrt(fan_in)
    bias          (out_channels,), likewise, or None
    groups        parts of the channels that do not see one another
    padding_mode  what lies around the image: "zeros", or as in `functional.pad`

    NaN and infinity may reach the neighbours of what sees them: see `functional.conv2d`.

    >>> import nnet as nn
    >>> nn.Conv2d(1, 8, kernel_size=3, padding=1)(nn.ones(2, 1, 28, 28)).shape
    (2, 8, 28, 28)
    """

    fuses = ReLU
    FUNCTION = staticmethod(functional.conv2d)
