"""Convolution, and padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kernels import conv2d as conv2d_op

from ..tensor import Tensor, record
from .check import check_images, check_tensors, pair

Pair = int | tuple[int, int]


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
    """Cross-correlation, rectified if `relu`; sizes are one integer or (vertical, horizontal).

    input    (N, C, H, W) or (C, H, W)
    weight   (K, C / groups, kernel height, kernel width)
    bias     (K,)
    padding  zeros on each side, "valid" for none, "same" for as many as keep H and W

    Raises TypeError for other or mixed dtypes, ValueError for shapes and sizes that do not fit.

    >>> import nnet as nn, nnet.functional as F
    >>> F.conv2d(nn.ones(1, 3, 8, 8), nn.ones(4, 3, 3, 3), padding=1).shape
    (1, 4, 8, 8)
    """
    check_tensors("conv2d", input=input, weight=weight, bias=bias)
    if not check_images("conv2d", input):
        batch = input.unsqueeze(0)
        return conv2d(batch, weight, bias, stride, padding, dilation, groups, relu=relu).squeeze(0)
    strides, dilations = pair("conv2d", "stride", stride), pair("conv2d", "dilation", dilation)
    if isinstance(padding, str):
        input, paddings = _named_padding(input, weight, padding, strides, dilations)
    else:
        paddings = pair("conv2d", "padding", padding)
    y, saved = conv2d_op.forward(
        input.data,
        weight.data,
        None if bias is None else bias.data,
        stride=strides,
        padding=paddings,
        dilation=dilations,
        groups=groups,
        relu=relu,
    )
    needs = (
        input.requires_grad,
        weight.requires_grad,
        bias is not None and bias.requires_grad,
    )
    return record(y, (input, weight, bias), lambda dy: conv2d_op.backward(dy, saved, needs))


def _named_padding(
    input: Tensor, weight: Tensor, padding: str, stride: tuple[int, int], dilation: tuple[int, int]
) -> tuple[Tensor, tuple[int, int]]:
    """What "valid" and "same" mean; an odd number of zeros has its last one at the end."""
    if padding == "valid":
        return input, (0, 0)
    if padding != "same":
        raise ValueError(f"conv2d: expected padding 'same' or 'valid', got {padding!r}")
    if stride != (1, 1):
        raise ValueError(f"conv2d: expected stride 1 with padding 'same', got {stride}")
    if weight.ndim != 4:
        raise ValueError(f"conv2d: expected weight of 4 axes, got {weight.shape}")
    total = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True)]
    if total[0] % 2 or total[1] % 2:
        input = pad(input, (0, total[1] % 2, 0, total[0] % 2))
    return input, (total[0] // 2, total[1] // 2)


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float = 0.0) -> Tensor:
    """Put constants around: pad is (before, after) of the last axis, of the one before it, ...

    Raises ValueError for another mode, or for numbers that are odd in count or negative.

    >>> import nnet as nn, nnet.functional as F
    >>> F.pad(nn.ones(2), (1, 2))
    tensor([0., 1., 1., 0., 0.])
    """
    if mode != "constant":
        raise ValueError(f"pad: expected mode 'constant', got {mode!r}")
    if not isinstance(input, Tensor):
        raise TypeError(f"pad: expected input to be a tensor, got {type(input).__name__}")
    if len(pad) % 2 or len(pad) > 2 * input.ndim or min(pad, default=0) < 0:
        raise ValueError(
            f"pad: expected pairs of numbers >= 0 for at most {input.ndim} axes, got {tuple(pad)}"
        )
    x = input.data
    widths: list[Any] = list(zip(pad[::2], pad[1::2], strict=True))[::-1]
    widths = [(0, 0)] * (x.ndim - len(widths)) + widths
    inside = tuple(
        slice(before, before + n) for (before, _), n in zip(widths, x.shape, strict=True)
    )
    y = np.pad(x, widths, constant_values=value)
    return record(y, (input,), lambda dy: dy[inside])
