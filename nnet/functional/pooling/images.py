"""Pooling over windows of images; sizes are one integer or (vertical, horizontal)."""

from __future__ import annotations

from typing import Any

from ...autograd.tensor import Tensor
from .windows import OutputSize, Pair, adaptive_avg_pool, adaptive_max_pool, avg_pool, max_pool

__all__ = ["max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d"]


def max_pool2d(
    input: Tensor,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    dilation: Pair = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The greatest element of each window; of equal ones the first gets the gradient.

    input           (N, C, H, W) or (C, H, W)
    stride          kernel_size if not given
    padding         of -inf, at most half the window
    ceil_mode       count a last window that reaches over the end
    return_indices  give (y, indices), where row * W + column of each maximum, int64

    NaN in a window is its maximum. Raises TypeError for other dtypes, ValueError for shapes and
    sizes that do not fit.

    >>> import nnet as nn, nnet.functional as F
    >>> F.max_pool2d(nn.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    return max_pool("max_pool2d", 2, input, kernel_size, options, ceil_mode, return_indices)


def avg_pool2d(
    input: Tensor,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window; arguments as in `max_pool2d`.

    count_include_pad  whether the zeros of the padding count
    divisor_override   what sums are divided by instead

    >>> import nnet as nn, nnet.functional as F
    >>> F.avg_pool2d(nn.arange(4.0).reshape(1, 2, 2), 2)
    tensor([[[1.5]]])
    """
    options = {"stride": stride, "padding": padding}
    last = ceil_mode, count_include_pad, divisor_override
    return avg_pool("avg_pool2d", 2, input, kernel_size, options, *last)


def adaptive_avg_pool2d(input: Tensor, output_size: OutputSize) -> Tensor:
    """Means over windows that cover the image evenly; None keeps the size of that axis.

    Window o of an axis runs from floor(o H / H') to ceil((o + 1) H / H') - 1.

    >>> import nnet as nn, nnet.functional as F
    >>> F.adaptive_avg_pool2d(nn.ones(2, 3, 8, 8), 1).shape
    (2, 3, 1, 1)
    """
    return adaptive_avg_pool("adaptive_avg_pool2d", 2, input, output_size)


def adaptive_max_pool2d(
    input: Tensor, output_size: OutputSize, return_indices: bool = False
) -> Any:
    """The greatest elements of the windows of `adaptive_avg_pool2d`; indices as in `max_pool2d`.

    >>> import nnet as nn, nnet.functional as F
    >>> F.adaptive_max_pool2d(nn.arange(16.0).reshape(1, 4, 4), (1, 2))
    tensor([[[13., 15.]]])
    """
    return adaptive_max_pool("adaptive_max_pool2d", 2, input, output_size, return_indices)
