"""Pooling over windows of series, by the kernels for images."""

from __future__ import annotations

from typing import Any

from ...autograd.tensor import Tensor
from .windows import OutputSize, Single, adaptive_avg_pool, adaptive_max_pool, avg_pool, max_pool

__all__ = ["max_pool1d", "avg_pool1d", "adaptive_avg_pool1d", "adaptive_max_pool1d"]


def max_pool1d(
    input: Tensor,
    kernel_size: Single,
    stride: Single | None = None,
    padding: Single = 0,
    dilation: Single = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The greatest element of each window; arguments as in `max_pool2d`.

    input  (N, C, L) or (C, L)

    >>> import nnet as nn, nnet.functional as F
    >>> F.max_pool1d(nn.arange(6.0).reshape(1, 6), 2)
    tensor([[1., 3., 5.]])
    """
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    return max_pool("max_pool1d", 1, input, kernel_size, options, ceil_mode, return_indices)


def avg_pool1d(
    input: Tensor,
    kernel_size: Single,
    stride: Single | None = None,
    padding: Single = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window; arguments as in `avg_pool2d`.

    >>> import nnet as nn, nnet.functional as F
    >>> F.avg_pool1d(nn.arange(6.0).reshape(1, 6), 2)
    tensor([[0.5, 2.5, 4.5]])
    """
    options = {"stride": stride, "padding": padding}
    return avg_pool("avg_pool1d", 1, input, kernel_size, options, ceil_mode, count_include_pad)


def adaptive_avg_pool1d(input: Tensor, output_size: OutputSize) -> Tensor:
    """Means over windows that cover the series evenly.

    >>> import nnet as nn, nnet.functional as F
    >>> F.adaptive_avg_pool1d(nn.arange(6.0).reshape(1, 6), 2)
    tensor([[1., 4.]])
    """
    return adaptive_avg_pool("adaptive_avg_pool1d", 1, input, output_size)


def adaptive_max_pool1d(
    input: Tensor, output_size: OutputSize, return_indices: bool = False
) -> Any:
    """The greatest elements of such windows; indices as in `max_pool2d`.

    >>> import nnet as nn, nnet.functional as F
    >>> F.adaptive_max_pool1d(nn.arange(6.0).reshape(1, 6), 2)
    tensor([[2., 5.]])
    """
    return adaptive_max_pool("adaptive_max_pool1d", 1, input, output_size, return_indices)
