"""The convolution layer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import functional
from .functional.check import pair
from .functional.convolution import Pair
from .linear import reset_uniform
from .module import Module
from .parameter import Parameter
from .tensor import Tensor


class Conv2d(Module):
    """Cross-correlation of images (N, C, H, W) or (C, H, W) with filters.

    Sizes are one integer or (vertical, horizontal); padding also "valid" or "same".

    weight  (out_channels, in_channels / groups, *kernel_size), uniform in +-1/sqrt(fan_in)
    bias    (out_channels,), likewise, or None

    Raises ValueError for groups that do not divide the channels, another padding_mode than
    "zeros", and sizes out of range.

    >>> import nnet as nn
    >>> nn.Conv2d(1, 8, kernel_size=3, padding=1)(nn.ones(2, 1, 28, 28)).shape
    (2, 8, 28, 28)
    """

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
        super().__init__()
        name = "Conv2d"
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{name}: expected groups to divide in_channels {in_channels} and out_channels "
                f"{out_channels}, got {groups}"
            )
        if padding_mode != "zeros":
            raise ValueError(f"{name}: expected padding_mode 'zeros', got {padding_mode!r}")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = pair(name, "kernel_size", kernel_size)
        self.stride = pair(name, "stride", stride)
        self.padding = padding if isinstance(padding, str) else pair(name, "padding", padding)
        self.dilation = pair(name, "dilation", dilation)
        self.groups = groups
        self._check_sizes()
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = Parameter(np.empty(shape, dtype))
        self.bias = Parameter(np.empty(out_channels, dtype)) if bias else None
        self.to(device)
        self.reset_parameters()

    def _check_sizes(self) -> None:
        for option, least in (("kernel_size", 1), ("stride", 1), ("padding", 0), ("dilation", 1)):
            value = getattr(self, option)
            if isinstance(value, str):
                if value not in ("same", "valid"):
                    raise ValueError(
                        f"Conv2d: expected padding as sizes, 'same' or 'valid', got {value!r}"
                    )
                if value == "same" and self.stride != (1, 1):
                    raise ValueError(
                        f"Conv2d: expected stride 1 with padding 'same', got {self.stride}"
                    )
            elif min(value) < least:
                raise ValueError(f"Conv2d: expected {option} of at least {least}, got {value}")

    def reset_parameters(self) -> None:
        """Draw the initial values anew."""
        reset_uniform(self.weight, self.bias)

    def forward(self, input: Tensor, *, relu: bool = False) -> Tensor:
        return functional.conv2d(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
            relu=relu,
        )

    def extra_repr(self) -> str:
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        if self.padding != (0, 0):
            text += f", padding={self.padding}"
        if self.dilation != (1, 1):
            text += f", dilation={self.dilation}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        return text
