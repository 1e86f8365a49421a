"""Pooling over windows; sizes are one integer or (vertical, horizontal)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kernels import pool2d

from ..tensor import Tensor, record
from .check import check_images, pair

Pair = int | tuple[int, int]


def max_pool2d(
    input: Tensor,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    dilation: Pair = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The greatest element of each window; of equal ones the first gets the gradient.

    input    (N, C, H, W) or (C, H, W)
    stride   kernel_size if not given
    padding  of -inf, at most half the window

    Raises TypeError for other dtypes, ValueError for shapes and sizes that do not fit.

    >>> import nnet as nn, nnet.functional as F
    >>> F.max_pool2d(nn.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """
    op = "max_pool2d"
    window = pair(op, "kernel_size", kernel_size)
    steps = window if stride is None else pair(op, "stride", stride)
    edges, spread = pair(op, "padding", padding), pair(op, "dilation", dilation)
    return _pool(
        op,
        input,
        lambda x: pool2d.max_forward(x, window, steps, edges, spread, ceil_mode),
        pool2d.max_backward,
    )


def avg_pool2d(
    input: Tensor,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window; arguments as in `max_pool2d`.

    count_include_pad  whether the zeros of the padding count

    >>> import nnet as nn, nnet.functional as F
    >>> F.avg_pool2d(nn.arange(4.0).reshape(1, 2, 2), 2)
    tensor([[[1.5]]])
    """
    op = "avg_pool2d"
    window = pair(op, "kernel_size", kernel_size)
    steps = window if stride is None else pair(op, "stride", stride)
    edges = pair(op, "padding", padding)
    return _pool(
        op,
        input,
        lambda x: pool2d.average_forward(x, window, steps, edges, ceil_mode, count_include_pad),
        pool2d.average_backward,
    )


def adaptive_avg_pool2d(input: Tensor, output_size: int | tuple[int | None, int | None]) -> Tensor:
    """Means over windows that cover the image evenly; None keeps the size of that axis.

    >>> import nnet as nn, nnet.functional as F
    >>> F.adaptive_avg_pool2d(nn.ones(2, 3, 8, 8), 1).shape
    (2, 3, 1, 1)
    """
    op = "adaptive_avg_pool2d"
    check_images(op, input)
    sizes: Any = output_size
    if isinstance(output_size, tuple | list):
        given = input.shape[-2:]
        sizes = tuple(
            n if size is None else size for size, n in zip(output_size, given, strict=False)
        )
    wanted = pair(op, "output_size", sizes)
    return _pool(
        op,
        input,
        lambda x: pool2d.adaptive_average_forward(x, wanted),
        pool2d.adaptive_average_backward,
    )


def _pool(op: str, input: Tensor, forward: Callable, backward: Callable) -> Tensor:
    """Run a pooling kernel on a batch, or on one image."""
    if not check_images(op, input):
        return _pool(op, input.unsqueeze(0), forward, backward).squeeze(0)
    y, saved = forward(input.data)
    return record(y, (input,), lambda dy: backward(dy, saved))
