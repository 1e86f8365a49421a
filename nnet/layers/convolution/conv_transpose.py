"""Transposed convolution layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import functional
from ...autograd.tensor import Tensor
from ...functional.check import check_images
from ...functional.convolution.conv import Pair
from .convolution import Convolution

__all__ = ["ConvTranspose1d", "ConvTranspose2d"]


class TransposedConvolution(Convolution):
    """What the transposed layers share."""

    transposed = True
    units_axis = 1

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair = 0,
        output_padding: Pair = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Pair = 1,
        padding_mode: str = "zeros",
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        sizes = kernel_size, stride, padding, dilation, output_padding
        super().__init__(
            in_channels, out_channels, sizes, groups, bias, padding_mode, device, dtype
        )

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        return type(self).FUNCTION(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self._output_padding(input, output_size),
            self.groups,
            self.dilation,
        )

    linear_forward = forward

    def macs(self, arguments: tuple[Any, ...], size: int) -> int:
        """Each element of the input meets the filters of its channel."""
        return arguments[0].numel() * math.prod(self.weight.shape[1:])

    def _output_padding(self, input: Tensor, output_size: Sequence[int] | None) -> tuple[int, ...]:
        """How much longer the output must be to have output_size."""
        if output_size is None:
            return self.output_padding
        name, axes = type(self).__name__, self.axes
        check_images(name, input, axes)
        wanted = tuple(output_size)[-axes:]
        least = [
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(
                input.shape[-axes:],
                self.stride,
                self.padding,
                self.dilation,
                self.kernel_size,
                strict=True,
            )
        ]
        most = [n + s - 1 for n, s in zip(least, self.stride, strict=True)]
        if len(output_size) not in (axes, input.ndim) or not all(
            a <= n <= b for a, n, b in zip(least, wanted, most, strict=True)
        ):
            raise ValueError(
                f"{name}: expected output_size from {tuple(least)} to {tuple(most)} for an input "
                f"of {input.shape}, got {tuple(output_size)}"
            )
        return tuple(n - a for n, a in zip(wanted, least, strict=True))


class ConvTranspose1d(TransposedConvolution):
    """The gradient of `Conv1d` to its input, as a layer for series; see `ConvTranspose2d`.

    weight  (in_channels, out_channels / groups, kernel_size)
    bias    (out_channels,) or None

    >>> import nnet as nn
    >>> nn.ConvTranspose1d(8, 4, kernel_size=2, stride=2)(nn.ones(2, 8, 50)).shape
    (2, 4, 100)
    """

    axes = 1
    FUNCTION = staticmethod(functional.conv_transpose1d)


class ConvTranspose2d(TransposedConvolution):
    """Each element of an image lays down its filters: `Conv2d` the other way about.

    A convolution is a linear map; this layer is the transposed map, so its forward pass is the
    convolution's gradient to the input and its own gradient to the input is the convolution.
    With a stride it enlarges images, which is what decoders and generators need it for. Several
    sizes of image give a strided convolution the same output; which of them comes back is said
    by output_padding, or by the size itself: `layer(x, output_size)`.
    Zeiler et al. 2010; Dumoulin & Visin 2016, section 4.

    weight          (in_channels, out_channels / groups, *kernel_size), uniform in +-1/sqrt(fan_in)
                    with PyTorch's fan_in, out_channels / groups * kernel height * kernel width
    bias            (out_channels,), likewise, or None
    padding         how much is cut off each side
    output_padding  how much longer the output is at its end, below stride or dilation

    >>> import nnet as nn
    >>> nn.ConvTranspose2d(8, 3, kernel_size=4, stride=2, padding=1)(nn.ones(2, 8, 7, 7)).shape
    (2, 3, 14, 14)
    """

    FUNCTION = staticmethod(functional.conv_transpose2d)
