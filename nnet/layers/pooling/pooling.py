"""Pooling layers; sizes are one integer or one an axis, vertical first."""

from __future__ import annotations

from typing import Any

from ... import functional
from ...autograd.tensor import Tensor
from ...functional.check import sizes
from ...functional.pooling.windows import Pair, Single
from ...module.module import Module

__all__ = ["MaxPool1d", "MaxPool2d", "AvgPool1d", "AvgPool2d"]


class MaxPooling(Module):
    """What the max-pooling layers share."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def _options(self) -> tuple[Any, ...]:
        window = self.kernel_size, self.stride, self.padding, self.dilation
        return *window, self.ceil_mode, self.return_indices

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(MaxPooling):
    """The greatest element of each window of series (N, C, L), see `functional.max_pool1d`.

    >>> import nnet as nn
    >>> nn.MaxPool1d(2)(nn.ones(1, 3, 8)).shape
    (1, 3, 4)
    """

    def forward(self, input: Tensor) -> Any:
        return functional.max_pool1d(input, *self._options())


class MaxPool2d(MaxPooling):
    """The greatest element of each window, see `functional.max_pool2d`.

    It keeps whether a feature is there and forgets where in the window, so small shifts leave
    the output as it is. The gradient goes to the greatest element alone, of equal ones the first.

    >>> import nnet as nn
    >>> nn.MaxPool2d(2)(nn.ones(1, 3, 8, 8)).shape
    (1, 3, 4, 4)
    """

    def forward(self, input: Tensor) -> Any:
        return functional.max_pool2d(input, *self._options())


class AvgPool1d(Module):
    """The mean of each window of series (N, C, L), see `functional.avg_pool1d`.

    >>> import nnet as nn
    >>> nn.AvgPool1d(2)(nn.ones(1, 3, 8)).shape
    (1, 3, 4)
    """

    def __init__(
        self,
        kernel_size: Single,
        stride: Single | None = None,
        padding: Single = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        name = "AvgPool1d"
        self.kernel_size = sizes(name, "kernel_size", kernel_size, 1)
        self.stride = self.kernel_size if stride is None else sizes(name, "stride", stride, 1)
        self.padding = sizes(name, "padding", padding, 1)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        window = self.kernel_size, self.stride, self.padding
        return functional.avg_pool1d(input, *window, self.ceil_mode, self.count_include_pad)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(Module):
    """The mean of each window, see `functional.avg_pool2d`.

    The gradient spreads evenly over the window.

    >>> import nnet as nn
    >>> nn.AvgPool2d(2)(nn.ones(1, 3, 8, 8)).shape
    (1, 3, 4, 4)
    """

    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Pair = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        window = self.kernel_size, self.stride, self.padding
        counted = self.ceil_mode, self.count_include_pad, self.divisor_override
        return functional.avg_pool2d(input, *window, *counted)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
