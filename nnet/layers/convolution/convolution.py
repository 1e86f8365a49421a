"""What convolution layers share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ...autograd.parameter import Parameter
from ...autograd.tensor import Tensor
from ...functional.check import check_least, sizes
from ...functional.convolution.padding import MODES
from ..linear import reset_uniform
from ..weighted import Weighted


class Convolution(Weighted):
    """The options, the filters, and how they print.

    FUNCTION  of input, weight, bias and options
    given     kernel_size, stride, padding, dilation, output_padding

    Raises ValueError for groups that do not divide the channels, an unknown padding_mode, and
    sizes out of range.
    """

    axes = 2
    transposed = False
    FUNCTION: Callable[..., Tensor]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        given: tuple[Any, ...],
        groups: int,
        bias: bool,
        padding_mode: str,
        device: str | None,
        dtype: npt.DTypeLike,
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
        kernel_size, stride, padding, dilation, output_padding = given
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
