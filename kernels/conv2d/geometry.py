"""What a convolution is asked for: checked, and with the sizes that follow from it."""

import functools
from typing import NamedTuple

import numpy as np

from kernels._check import check_pair

Pair = tuple[int, int]


class Window(NamedTuple):
    """The kernel's extent, and how it is laid on x."""

    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    pad_h: int
    pad_w: int
    dilation_h: int
    dilation_w: int


class Problem(NamedTuple):
    """A convolution but for its numbers and its images: what an algorithm is chosen by.

    size  of x's planes
    grid  of y's
    """

    window: Window
    groups: int
    channels: int
    filters: int
    size: Pair
    grid: Pair
    dtype: np.dtype


def problem_of(
    x: np.ndarray, weight: np.ndarray, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Problem:
    """Raises ValueError for shapes and options that do not fit."""
    # A cache cannot check these: to it 1.0 and 1 are the same, and a list is no key.
    if x.ndim != 4 or weight.ndim != 4:
        raise ValueError(
            "conv2d: expected x (N, C, H, W) and weight (K, C / groups, kernel height, "
            f"kernel width), got shapes {x.shape} and {weight.shape}"
        )
    check_pair("conv2d", "stride", stride, 1)
    check_pair("conv2d", "padding", padding, 0)
    check_pair("conv2d", "dilation", dilation, 1)
    channels, filters = x.shape[1], weight.shape[0]
    if not isinstance(groups, int) or groups < 1 or channels % groups or filters % groups:
        raise ValueError(
            f"conv2d: expected groups to divide {channels} channels and {filters} filters, "
            f"got {groups}"
        )
    return _problem(x.shape[1:], weight.shape, stride, padding, dilation, groups, x.dtype)


@functools.lru_cache(maxsize=512)
def _problem(
    image_shape: tuple[int, int, int],
    weight_shape: tuple[int, int, int, int],
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
    dtype: np.dtype,
) -> Problem:
    filters, channels = weight_shape[:2]
    kernel = weight_shape[2:]
    if image_shape[0] != channels * groups:
        raise ValueError(
            f"conv2d: expected x with {channels * groups} channels for weight {weight_shape} "
            f"in {groups} group(s), got {image_shape[0]}"
        )
    if 0 in weight_shape:
        raise ValueError(f"conv2d: expected a weight without empty axes, got {weight_shape}")
    size = image_shape[1:]
    height, width = (
        (size[a] + 2 * padding[a] - dilation[a] * (kernel[a] - 1) - 1) // stride[a] + 1
        for a in (0, 1)
    )
    if min(height, width) < 1:
        raise ValueError(
            f"conv2d: expected an input of at least the kernel's extent, got {size} with "
            f"padding {padding} under a kernel of {kernel} with dilation {dilation}"
        )
    window = Window(*kernel, *stride, *padding, *dilation)
    return Problem(window, groups, image_shape[0], filters, size, (height, width), dtype)
