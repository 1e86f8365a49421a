"""Convolution; sizes are one integer or one an axis, vertical first."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels import conv2d as conv2d_op

from ...autograd.results import record
from ...autograd.tensor import Tensor
from ..check import check_filters, check_images, check_least, check_tensors, sizes
from ..images import as_filters, as_images, from_images, needed, reshaped, row
from .padding import pad

__all__ = ["conv1d", "conv2d"]

# One integer, or one an axis.
Single = int | tuple[int, ...]
Pair = int | tuple[int, ...]


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Single = 1,
    padding: Single | str = 0,
    dilation: Single = 1,
    groups: int = 1,
    *,
    relu: bool = False,
) -> Tensor:
    """Cross-correlation of series; arguments as in `conv2d`.

    input   (N, C, L) or (C, L)
    weight  (K, C / groups, kernel length)
    bias    (K,)

    >>> import nnet as nn, nnet.functional as F
    >>> F.conv1d(nn.arange(4.0).reshape(1, 1, 4), nn.ones(1, 1, 2))
    tensor([[[1., 3., 5.]]])
    """
    return _convolve("conv1d", 1, input, weight, bias, stride, padding, dilation, groups, relu)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
    *,
    relu: bool = False,
) -> Tensor:
    """Cross-correlation of images, rectified if `relu`.

    input    (N, C, H, W) or (C, H, W)
    weight   (K, C / groups, kernel height, kernel width)
    bias     (K,)
    padding  zeros on each side, "valid" for none, "same" for as many as keep H and W

    Where the kernel is 3 x 3, its stride 1 and there are 16 channels and filters or more, NaN and
    infinity reach all outputs of a 4 x 4 tile that sees them; else those outputs that see them.

    Raises TypeError for other or mixed dtypes, ValueError for shapes and sizes that do not fit.

    >>> import nnet as nn, nnet.functional as F
    >>> F.conv2d(nn.ones(1, 3, 8, 8), nn.ones(4, 3, 3, 3), padding=1).shape
    (1, 4, 8, 8)
    """
    return _convolve("conv2d", 2, input, weight, bias, stride, padding, dilation, groups, relu)


def _convolve(
    op: str,
    axes: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    relu: bool,
) -> Tensor:
    check_tensors(op, input=input, weight=weight, bias=bias)
    batched = input.data.ndim == axes + 2 or check_images(op, input, axes)
    strides, dilations = sizes(op, "stride", stride, axes), sizes(op, "dilation", dilation, axes)
    if isinstance(padding, str):
        input, paddings = _named_padding(op, axes, input, weight, padding, strides, dilations)
    else:
        paddings = sizes(op, "padding", padding, axes)
    if axes == 1:
        check_filters(op, input, weight, bias, groups)
        check_least(op, 1, stride=strides, dilation=dilations)
        check_least(op, 0, padding=paddings)
        reach = dilations[0] * (weight.shape[2] - 1) + 1
        if input.shape[-1] + 2 * paddings[0] < reach:
            raise ValueError(
                f"{op}: expected an input of at least the kernel's extent, got "
                f"{input.shape[-1]} with padding {paddings[0]} under an extent of {reach}"
            )
    y, saved = conv2d_op.forward(
        as_images(input.data, axes),
        as_filters(weight.data, axes),
        None if bias is None else bias.data,
        stride=row(strides, 1),
        padding=row(paddings, 0),
        dilation=row(dilations, 1),
        groups=groups,
        relu=relu,
    )
    needs = needed(input, weight, bias)
    shapes, y_shape = (input.data.shape, weight.data.shape), y.shape

    def backward(dy: np.ndarray) -> tuple[np.ndarray | None, ...]:
        dx, dweight, dbias = conv2d_op.backward(dy.reshape(y_shape), saved, needs)
        return reshaped(dx, shapes[0]), reshaped(dweight, shapes[1]), dbias

    return record(from_images(y, axes, batched), (input, weight, bias), backward)


def _named_padding(
    op: str,
    axes: int,
    input: Tensor,
    weight: Tensor,
    padding: str,
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
) -> tuple[Tensor, tuple[int, ...]]:
    """What "valid" and "same" mean; an odd number of zeros has its last one at the end."""
    if padding == "valid":
        return input, (0,) * axes
    if padding != "same":
        raise ValueError(f"{op}: expected padding 'same' or 'valid', got {padding!r}")
    if max(stride) != 1:
        raise ValueError(f"{op}: expected stride 1 with padding 'same', got {stride}")
    if weight.ndim != axes + 2:
        raise ValueError(f"{op}: expected weight of {axes + 2} axes, got {weight.shape}")
    total = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True)]
    if any(t % 2 for t in total):
        input = pad(input, [more for t in reversed(total) for more in (0, t % 2)])
    return input, tuple(t // 2 for t in total)
