"""Convolution layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ... import functional
from ...autograd.parameter import Parameter
from ...autograd.tensor import Tensor
from ...functional.check import check_least, sizes
from ...functional.convolution.conv import Pair, Single
from ...functional.convolution.padding import MODES
from ..activation import ReLU
from ..linear import reset_uniform
from ..weighted import Weighted

__all__ = ["Conv1d", "Conv2d"]


class Convolution(Weighted):
    """What the layers share: the options, the filters, and how they print.

    Raises ValueError for groups that do not divide the channels, an unknown padding_mode, and
    sizes out of range.
    """

    axes = 2
    transposed = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: str | None,
        dtype: npt.DTypeLike,
        output_padding: Any = 0,
    ) -> None:
        super().__init__()
        name, axes = type(self).__name__, self.axes
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{name}: expected groups to divide in_channels {in_channels} and out_channels "
                f"{out_channels}, got {groups}"
            )
        modes = ("zeros",) if self.transposed else ("zeros", *MODES[1:])
        if padding_mode not in modes:
            known = " or ".join(map(repr, modes))
            raise ValueError(f"{name}: expected padding_mode {known}, got {padding_mode!r}")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = sizes(name, "kernel_size", kernel_size, axes)
        self.stride = sizes(name, "stride", stride, axes)
        self.padding: Any = (
            padding if isinstance(padding, str) else sizes(name, "padding", padding, axes)
        )
        self.dilation = sizes(name, "dilation", dilation, axes)
        self.output_padding = sizes(name, "output_padding", output_padding, axes)
        self.groups = groups
        self.padding_mode = padding_mode
        self._check_sizes(name)
        inputs, outputs = in_channels // groups, out_channels
        if self.transposed:
            inputs, outputs = out_channels // groups, in_channels
        self.weight = Parameter(np.empty((outputs, inputs, *self.kernel_size), dtype))
        self.bias = Parameter(np.empty(out_channels, dtype)) if bias else None
        self.to(device)
        self.reset_parameters()

    def _check_sizes(self, name: str) -> None:
        check_least(name, 1, kernel_size=self.kernel_size, stride=self.stride)
        check_least(name, 1, dilation=self.dilation)
        check_least(name, 0, output_padding=self.output_padding)
        if not isinstance(self.padding, str):
            check_least(name, 0, padding=self.padding)
        elif self.transposed:
            raise ValueError(f"{name}: expected padding as sizes, got {self.padding!r}")
        elif self.padding not in ("same", "valid"):
            raise ValueError(
                f"{name}: expected padding as sizes, 'same' or 'valid', got {self.padding!r}"
            )
        elif self.padding == "same" and max(self.stride) > 1:
            raise ValueError(f"{name}: expected stride 1 with padding 'same', got {self.stride}")

    @property
    def outputs(self) -> int:
        return self.out_channels

    def reset_parameters(self) -> None:
        """Draw the initial values anew."""
        reset_uniform(self.weight, self.bias)

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

    def extra_repr(self) -> str:
        none = (0,) * self.axes
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        if self.padding != none:
            text += f", padding={self.padding}"
        if self.dilation != (1,) * self.axes:
            text += f", dilation={self.dilation}"
        if self.output_padding != none:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class Conv1d(Convolution):
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

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Single,
        stride: Single = 1,
        padding: Single | str = 0,
        dilation: Single = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def forward(self, input: Tensor, *, relu: bool = False) -> Tensor:
        x, zeros = self._padded(input)
        options = self.stride, zeros, self.dilation, self.groups
        return functional.conv1d(x, self.weight, self.bias, *options, relu=relu)

    linear_forward = forward


class Conv2d(Convolution):
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
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def forward(self, input: Tensor, *, relu: bool = False) -> Tensor:
        x, zeros = self._padded(input)
        options = self.stride, zeros, self.dilation, self.groups
        return functional.conv2d(x, self.weight, self.bias, *options, relu=relu)

    linear_forward = forward
