"""Where the windows of a pooling lie along one axis."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from kernels._memory import frozen


class Window(NamedTuple):
    """The windows' extent, and how they are laid on x."""

    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    pad_h: int
    pad_w: int
    dilation_h: int
    dilation_w: int


def output_size(
    size: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool
) -> int:
    """How many windows fit, by PyTorch's rule.

    ceil_mode lets the last window reach over the far end, if it starts in x or the padding
    before it.
    """
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    last = -(-room // stride) if ceil_mode else room // stride
    if ceil_mode and last * stride >= size + padding:
        last -= 1
    return last + 1


# SIMD values may read so far beyond the last element they need.
MARGIN = 64


def work_width(width: int, kernel: int = 1, stride: int = 1, padding: int = 0) -> int:
    """How long the rows of sums must be on which average pooling works."""
    return width + stride + 2 * (kernel + padding) + MARGIN


@lru_cache(maxsize=1024)
def shares(
    size: int, count: int, kernel: int, stride: int, padding: int, count_include_pad: bool
) -> np.ndarray:
    """1 / the counted cells of average pooling's windows along an axis, (count + MARGIN,)."""
    first = np.arange(count) * stride - padding
    stop = np.minimum(first + kernel, size + padding)
    if not count_include_pad:
        first, stop = np.maximum(first, 0), np.minimum(stop, size)
    return frozen(np.pad(1 / (stop - first), (0, MARGIN)))


@lru_cache(maxsize=1024)
def constant(count: int, share: float) -> np.ndarray:
    """The same for windows that all count alike."""
    return frozen(np.full(count + MARGIN, share))


class Windows(NamedTuple):
    """Weighted sums: out[o] = after[o] * sum of before[i] * x[i] over first[o] <= i < stop[o].

    Averages have before = 1 and after = 1 / count, their gradients the other way about. Vectors
    of before may be read MARGIN beyond its end.
    """

    first: np.ndarray
    stop: np.ndarray
    before: np.ndarray
    after: np.ndarray


@lru_cache(maxsize=1024)
def adaptive(size: int, count: int) -> tuple[Windows, Windows]:
    """Adaptive pooling's windows, floor(o size / count) to ceil((o + 1) size / count) - 1.

    Returns those of forward and those of backward.
    """
    window, element = np.arange(count), np.arange(size)
    first, stop = window * size // count, -(-(window + 1) * size // count)
    ones, parts = np.ones(size), 1 / (stop - first)
    margin = 0, MARGIN
    # Both ends grow with the window, so the windows over one element are neighbours too.
    over_first = np.searchsorted(stop, element, side="right")
    over_stop = np.searchsorted(first, element, side="right")
    forward = Windows(*map(frozen, (first, stop, np.pad(ones, margin), parts)))
    backward = Windows(*map(frozen, (over_first, over_stop, np.pad(parts, margin), ones)))
    return forward, backward


@lru_cache(maxsize=1024)
def cell_offsets(kernel_size: tuple[int, int], dilation: tuple[int, int], width: int) -> np.ndarray:
    """Where a window's cells lie in a plane of rows of this width, from the first of them."""
    rows, columns = np.indices(kernel_size).reshape(2, -1)
    return frozen(rows * dilation[0] * width + columns * dilation[1])
