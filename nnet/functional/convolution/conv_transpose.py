"""Transposed convolution; sizes are one integer or one an axis, vertical first."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels import conv_transpose2d as conv_transpose2d_op

from ...autograd.results import record
from ...autograd.tensor import Tensor
from ..check import check_filters, check_images, check_least, check_tensors, sizes
from ..images import as_filters, as_images, from_images, needed, reshaped, row
from .conv import Pair, Single

__all__ = ["conv_transpose1d", "conv_transpose2d"]


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Single = 1,
    padding: Single = 0,
    output_padding: Single = 0,
    groups: int = 1,
    dilation: Single = 1,
) -> Tensor:
    """The gradient of `conv1d` to its input, as a function; see `conv_transpose2d`.

    input   (N, C, L) or (C, L)
    weight  (C, K / groups, kernel length)

    >>> import nnet as nn, nnet.functional as F
    >>> F.conv_transpose1d(nn.tensor([[[1.0, 2.0]]]), nn.ones(1, 1, 2), stride=2)
    tensor([[[1., 1., 2., 2.]]])
    """
    return _convolve(
        "conv_transpose1d",
        1,
        (input, weight, bias),
        {"stride": stride, "padding": padding, "output_padding": output_padding},
        dilation,
        groups,
    )


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    output_padding: Pair = 0,
    groups: int = 1,
    dilation: Pair = 1,
) -> Tensor:
    """The gradient of `conv2d` to its input, as a function: each element lays down its filters.

    input           (N, C, H, W) or (C, H, W)
    weight          (C, K / groups, kernel height, kernel width): conv2d's, that made C of K
    bias            (K,)
    padding         how much is cut off each side
    output_padding  how much longer the output is at its end, below stride or dilation

    The output is (H - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1 high.

    Raises TypeError for other or mixed dtypes, ValueError for shapes and sizes that do not fit.

    >>> import nnet as nn, nnet.functional as F
    >>> F.conv_transpose2d(nn.ones(1, 3, 8, 8), nn.ones(3, 4, 2, 2), stride=2).shape
    (1, 4, 16, 16)
    """
    return _convolve(
        "conv_transpose2d",
        2,
        (input, weight, bias),
        {"stride": stride, "padding": padding, "output_padding": output_padding},
        dilation,
        groups,
    )


def _convolve(
    op: str,
    axes: int,
    inputs: tuple[Tensor, Tensor, Tensor | None],
    options: dict[str, Any],
    dilation: Any,
    groups: int,
) -> Tensor:
    input, weight, bias = inputs
    check_tensors(op, input=input, weight=weight, bias=bias)
    batched = check_images(op, input, axes)
    given = {name: sizes(op, name, value, axes) for name, value in options.items()}
    dilations = sizes(op, "dilation", dilation, axes)
    if axes == 1:
        check_filters(op, input, weight, bias, groups, transposed=True)
        _check_sizes(op, input, weight, given, dilations)
    y, saved = conv_transpose2d_op.forward(
        as_images(input.data, axes),
        as_filters(weight.data, axes),
        None if bias is None else bias.data,
        stride=row(given["stride"], 1),
        padding=row(given["padding"], 0),
        output_padding=row(given["output_padding"], 0),
        dilation=row(dilations, 1),
        groups=groups,
    )
    needs = needed(*inputs)
    shapes, y_shape = (input.shape, weight.shape), y.shape

    def backward(dy: np.ndarray) -> tuple[np.ndarray | None, ...]:
        dx, dweight, dbias = conv_transpose2d_op.backward(dy.reshape(y_shape), saved, needs)
        return reshaped(dx, shapes[0]), reshaped(dweight, shapes[1]), dbias

    return record(from_images(y, axes, batched), inputs, backward)


def _check_sizes(
    op: str,
    input: Tensor,
    weight: Tensor,
    given: dict[str, tuple[int, ...]],
    dilations: tuple[int, ...],
) -> None:
    """What the kernel checks, in words for series."""
    check_least(op, 1, stride=given["stride"], dilation=dilations)
    check_least(op, 0, padding=given["padding"], output_padding=given["output_padding"])
    (stride,), (padding,), (more,) = given.values()
    if more >= max(stride, dilations[0]):
        raise ValueError(
            f"{op}: expected output_padding below stride {stride} or dilation {dilations[0]}, "
            f"got {more}"
        )
    length = (input.shape[-1] - 1) * stride - 2 * padding + more + 1
    length += dilations[0] * (weight.shape[2] - 1)
    if length < 1 or not input.shape[-1]:
        raise ValueError(
            f"{op}: expected sizes that leave an output, got a length of {length} for an input of "
            f"{input.shape[-1]}, a kernel of {weight.shape[2]} and padding {padding}"
        )
