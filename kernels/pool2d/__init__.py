"""Pooling over windows of images: maximum, average, adaptive average.

Sizes, padding, dilation, ceil_mode and the divisors at the edges are PyTorch's. Maxima keep
where they came from, as a byte if the window has at most 127 cells; of equal ones the first
counts. NaN in a window makes its result NaN.
"""

from types import ModuleType
from typing import NamedTuple

import numpy as np

from .. import _memory
from .._check import float_arrays
from .._jit import thread_rows
from . import cpu, reference
from .windows import output_size, work_width

IMPLEMENTATIONS: dict[str, ModuleType] = {"reference": reference, "cpu": cpu}

Pair = tuple[int, int]


class MaxSaved(NamedTuple):
    """argmax: (N, C, H', W') int8 or int32, ky * kernel_width + kx; -1 for an empty window."""

    argmax: np.ndarray
    x_shape: tuple[int, ...]
    kernel_size: Pair
    stride: Pair
    padding: Pair
    dilation: Pair


class AverageSaved(NamedTuple):
    x_shape: tuple[int, ...]
    y_shape: tuple[int, ...]
    kernel_size: Pair
    stride: Pair
    padding: Pair
    count_include_pad: bool


class AdaptiveSaved(NamedTuple):
    x_shape: tuple[int, ...]
    y_shape: tuple[int, ...]


def max_forward(
    x: np.ndarray,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
    ceil_mode: bool = False,
) -> tuple[np.ndarray, MaxSaved]:
    """Return y of shape (N, C, H', W'), the greatest element of each window.

    x          (N, C, H, W) float32 or float64; all sizes are (vertical, horizontal)
    padding    of -inf, at most half of what a window spans
    ceil_mode  count a last window that reaches over the end

    Raises TypeError for other dtypes, ValueError for other shapes and sizes that do not fit.

    >>> import numpy as np
    >>> from kernels import pool2d
    >>> y, saved = pool2d.max_forward(np.arange(16.0).reshape(1, 1, 4, 4), (2, 2), (2, 2))
    >>> y[0, 0], saved.argmax[0, 0, 0]
    (array([[ 5.,  7.], [13., 15.]]), array([3, 3], dtype=int8))
    """
    (x,) = float_arrays("max_pool2d", x=x)
    y_shape = _y_shape("max_pool2d", x, kernel_size, stride, padding, dilation, ceil_mode)
    cells = kernel_size[0] * kernel_size[1]
    argmax = _memory.empty(y_shape, np.int8 if cells <= 127 else np.int32)
    y = _memory.empty(y_shape, x.dtype)
    saved = MaxSaved(argmax, x.shape, kernel_size, stride, padding, dilation)
    if y.size:
        cpu.max_forward(
            x=x,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            out_y=y,
            out_argmax=argmax,
        )
    return y, saved


def max_backward(dy: np.ndarray, saved: MaxSaved) -> np.ndarray:
    """Return dx: each dy goes to the element its maximum was, those of one element are added."""
    dy = _gradient("max_pool2d", dy, saved.argmax.shape)
    dx = _memory.empty(saved.x_shape, dy.dtype)
    if dx.size:
        cpu.max_backward(
            dy=dy,
            argmax=saved.argmax,
            kernel_size=saved.kernel_size,
            stride=saved.stride,
            padding=saved.padding,
            dilation=saved.dilation,
            work_offsets=_memory.empty(saved.kernel_size[0] * saved.kernel_size[1], np.int64),
            out_dx=dx,
        )
    return dx


def average_forward(
    x: np.ndarray,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair = (0, 0),
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> tuple[np.ndarray, AverageSaved]:
    """Return y of shape (N, C, H', W'), the mean of each window; summed in float64.

    x                  (N, C, H, W) float32 or float64; all sizes are (vertical, horizontal)
    padding            of zeros, at most half the window
    ceil_mode          count a last window that reaches over the end; what lies beyond the
                       padding does not enter its divisor
    count_include_pad  divide by a window's cells in x and padding, else by those in x

    Raises TypeError for other dtypes, ValueError for other shapes and sizes that do not fit.

    >>> import numpy as np
    >>> from kernels import pool2d
    >>> pool2d.average_forward(np.arange(16.0).reshape(1, 1, 4, 4), (2, 2), (2, 2))[0][0, 0]
    array([[ 2.5,  4.5], [10.5, 12.5]])
    """
    (x,) = float_arrays("avg_pool2d", x=x)
    y_shape = _y_shape("avg_pool2d", x, kernel_size, stride, padding, (1, 1), ceil_mode)
    saved = AverageSaved(x.shape, y_shape, kernel_size, stride, padding, bool(count_include_pad))
    y = _memory.empty(y_shape, x.dtype)
    if y.size:
        cpu.average_forward(
            x=x,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            count_include_pad=saved.count_include_pad,
            work_rows=_work_rows(saved),
            out_y=y,
        )
    return y, saved


def average_backward(dy: np.ndarray, saved: AverageSaved) -> np.ndarray:
    """Return dx: each dy, divided by its window's count, goes to all of the window."""
    dy = _gradient("avg_pool2d", dy, saved.y_shape)
    dx = _memory.empty(saved.x_shape, dy.dtype)
    if dx.size:
        cpu.average_backward(
            dy=dy,
            kernel_size=saved.kernel_size,
            stride=saved.stride,
            padding=saved.padding,
            count_include_pad=saved.count_include_pad,
            work_rows=_work_rows(saved),
            out_dx=dx,
        )
    return dx


def adaptive_average_forward(x: np.ndarray, output_size: Pair) -> tuple[np.ndarray, AdaptiveSaved]:
    """Return y of shape (N, C, *output_size): means over windows that cover x evenly.

    Window o of an axis runs from floor(o H / H') to ceil((o + 1) H / H') - 1, so neighbours
    overlap where H / H' is not whole; (1, 1) is the mean of each plane.

    x  (N, C, H, W) float32 or float64

    Raises TypeError for other dtypes, ValueError for other shapes or sizes below 1.

    >>> import numpy as np
    >>> from kernels import pool2d
    >>> pool2d.adaptive_average_forward(np.arange(6.0).reshape(1, 1, 2, 3), (1, 2))[0][0, 0]
    array([[2., 3.]])
    """
    op = "adaptive_avg_pool2d"
    (x,) = float_arrays(op, x=x)
    _check_image(op, x)
    _check_pair(op, "output_size", output_size, 1)
    saved = AdaptiveSaved(x.shape, x.shape[:2] + tuple(output_size))
    y = _memory.empty(saved.y_shape, x.dtype)
    if y.size:
        cpu.adaptive_average_forward(x=x, work_rows=_work_rows(saved), out_y=y)
    return y, saved


def adaptive_average_backward(dy: np.ndarray, saved: AdaptiveSaved) -> np.ndarray:
    """Return dx: each dy, divided by its window's count, goes to all of the window."""
    dy = _gradient("adaptive_avg_pool2d", dy, saved.y_shape)
    dx = _memory.empty(saved.x_shape, dy.dtype)
    if dx.size:
        cpu.adaptive_average_backward(dy=dy, work_rows=_work_rows(saved), out_dx=dx)
    return dx


def _y_shape(
    op: str,
    x: np.ndarray,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    ceil_mode: bool,
) -> tuple[int, ...]:
    _check_image(op, x)
    _check_pair(op, "kernel_size", kernel_size, 1)
    _check_pair(op, "stride", stride, 1)
    _check_pair(op, "padding", padding, 0)
    _check_pair(op, "dilation", dilation, 1)
    sizes = []
    for axis in (0, 1):
        span = dilation[axis] * (kernel_size[axis] - 1) + 1
        if padding[axis] > span // 2:
            raise ValueError(
                f"{op}: expected padding of at most half of what a window spans, "
                f"{span // 2} in axis {axis}, got {padding[axis]}"
            )
        size = output_size(
            x.shape[2 + axis],
            kernel_size[axis],
            stride[axis],
            padding[axis],
            dilation[axis],
            ceil_mode,
        )
        if size < 1:
            raise ValueError(
                f"{op}: expected images on which a window of kernel_size {kernel_size} and "
                f"dilation {dilation} fits, got {x.shape} with padding {padding}"
            )
        sizes.append(size)
    return x.shape[:2] + tuple(sizes)


def _check_image(op: str, x: np.ndarray) -> None:
    if x.ndim != 4 or 0 in x.shape[2:]:
        raise ValueError(f"{op}: expected x of shape (N, C, H, W) with H, W > 0, got {x.shape}")


def _check_pair(op: str, name: str, pair: Pair, least: int) -> None:
    whole = isinstance(pair, tuple) and all(isinstance(size, int) for size in pair)
    if not whole or len(pair) != 2 or min(pair) < least:
        raise ValueError(f"{op}: expected {name} as two integers of at least {least}, got {pair}")


def _gradient(op: str, dy: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    (dy,) = float_arrays(op, dy=dy)
    if dy.shape != shape:
        raise ValueError(f"{op}: expected dy of shape {shape}, got {dy.shape}")
    return dy


def _work_rows(saved: AverageSaved | AdaptiveSaved) -> np.ndarray:
    width = saved.x_shape[3]
    if isinstance(saved, AverageSaved):
        width = work_width(width, saved.kernel_size[1], saved.stride[1], saved.padding[1])
    else:
        width = work_width(width, max(width, saved.y_shape[3]))
    return _memory.empty((thread_rows(), width), np.float64)
