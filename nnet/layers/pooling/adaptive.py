"""Pooling layers that make an output of a given size of any input."""

from __future__ import annotations

from typing import Any

from ... import functional
from ...autograd.tensor import Tensor
from ...functional.pooling.windows import OutputSize
from ...module.module import Module

__all__ = ["AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d"]


class AdaptivePooling(Module):
    """What the layers share: the size, and whether maxima say where they were."""

    def __init__(self, output_size: OutputSize, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(AdaptivePooling):
    """Means over windows that cover the series evenly, see `functional.adaptive_avg_pool1d`.

    >>> import nnet as nn
    >>> nn.AdaptiveAvgPool1d(1)(nn.ones(1, 3, 8)).shape
    (1, 3, 1)
    """

    def __init__(self, output_size: OutputSize) -> None:
        super().__init__(output_size)

    def forward(self, input: Tensor) -> Tensor:
        return functional.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(AdaptivePooling):
    """Means over windows that cover the image evenly, see `functional.adaptive_avg_pool2d`.

    Of size 1 it is global average pooling: each feature map becomes its mean, and a classifier
    behind it takes images of any size. Lin et al. 2013.

    >>> import nnet as nn
    >>> nn.AdaptiveAvgPool2d(1)(nn.ones(1, 3, 8, 8)).shape
    (1, 3, 1, 1)
    """

    def __init__(self, output_size: OutputSize) -> None:
        super().__init__(output_size)

    def forward(self, input: Tensor) -> Tensor:
        return functional.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveMaxPool1d(AdaptivePooling):
    """Maxima over windows that cover the series evenly, see `functional.adaptive_max_pool1d`.

    >>> import nnet as nn
    >>> nn.AdaptiveMaxPool1d(1)(nn.ones(1, 3, 8)).shape
    (1, 3, 1)
    """

    def forward(self, input: Tensor) -> Any:
        return functional.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(AdaptivePooling):
    """Maxima over windows that cover the image evenly, see `functional.adaptive_max_pool2d`.

    >>> import nnet as nn
    >>> nn.AdaptiveMaxPool2d((1, 2))(nn.ones(1, 3, 8, 8)).shape
    (1, 3, 1, 2)
    """

    def forward(self, input: Tensor) -> Any:
        return functional.adaptive_max_pool2d(input, self.output_size, self.return_indices)
