"""Pooling over windows of images: maximum and average, of fixed windows and adaptive ones.

Sizes, padding, dilation, ceil_mode and the divisors at the edges are PyTorch's. Maxima keep
where they came from, as a byte if the window has at most 127 cells; of equal ones the first
counts. NaN in a window makes its result NaN.
"""

from typing import NamedTuple

import numpy as np

from kernels import _memory
from kernels._check import check_pair, float_arrays
from kernels._device import Implementations, device_of
from kernels.pool2d import cpu, reference
from kernels.pool2d.checks import Pair, check_divisor, check_image, gradient, y_shape

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)


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
    divisor: int


class AdaptiveSaved(NamedTuple):
    x_shape: tuple[int, ...]
    y_shape: tuple[int, ...]


class AdaptiveMaxSaved(NamedTuple):
    """argmax: (N, C, H', W') int32, row * W + column in the plane."""

    argmax: np.ndarray
    x_shape: tuple[int, ...]


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
    shape = y_shape("max_pool2d", x, kernel_size, stride, padding, dilation, ceil_mode)
    cells = kernel_size[0] * kernel_size[1]
    argmax = _memory.empty(shape, np.int8 if cells <= 127 else np.int32)
    y = _memory.empty(shape, x.dtype)
    saved = MaxSaved(argmax, x.shape, kernel_size, stride, padding, dilation)
    if y.size:
        IMPLEMENTATIONS[device_of(x)].max_forward(
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
    dy = gradient("max_pool2d", dy, saved.argmax.shape)
    dx = _memory.empty(saved.x_shape, dy.dtype)
    if dx.size:
        IMPLEMENTATIONS[device_of(dy)].max_backward(
            dy=dy,
            argmax=saved.argmax,
            kernel_size=saved.kernel_size,
            stride=saved.stride,
            padding=saved.padding,
            dilation=saved.dilation,
            out_dx=dx,
        )
    return dx


def max_indices(saved: MaxSaved | AdaptiveMaxSaved) -> np.ndarray:
    """Where the maxima lie in their planes, row * W + column: (N, C, H', W') int64.

    -1 for a window that lies wholly in the padding.
    """
    if isinstance(saved, AdaptiveMaxSaved):
        return saved.argmax.astype(np.int64)
    width = saved.x_shape[3]
    corners = [
        np.arange(count) * stride - padding
        for count, stride, padding in zip(
            saved.argmax.shape[2:], saved.stride, saved.padding, strict=True
        )
    ]
    cells = np.indices(saved.kernel_size).reshape(2, -1)
    offsets = cells[0] * saved.dilation[0] * width + cells[1] * saved.dilation[1]
    starts = corners[0][:, None] * width + corners[1]
    return np.where(saved.argmax < 0, -1, offsets[saved.argmax] + starts)


def average_forward(
    x: np.ndarray,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair = (0, 0),
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor: int | None = None,
) -> tuple[np.ndarray, AverageSaved]:
    """Return y of shape (N, C, H', W'), the mean of each window; summed in float64.

    x                  (N, C, H, W) float32 or float64; all sizes are (vertical, horizontal)
    padding            of zeros, at most half the window
    ceil_mode          count a last window that reaches over the end; what lies beyond the
                       padding does not enter its divisor
    count_include_pad  divide by a window's cells in x and padding, else by those in x
    divisor            divide by this instead

    Raises TypeError for other dtypes, ValueError for other shapes and sizes that do not fit.

    >>> import numpy as np
    >>> from kernels import pool2d
    >>> pool2d.average_forward(np.arange(16.0).reshape(1, 1, 4, 4), (2, 2), (2, 2))[0][0, 0]
    array([[ 2.5,  4.5], [10.5, 12.5]])
    """
    (x,) = float_arrays("avg_pool2d", x=x)
    shape = y_shape("avg_pool2d", x, kernel_size, stride, padding, (1, 1), ceil_mode)
    counted, divisor = bool(count_include_pad), check_divisor("avg_pool2d", divisor)
    saved = AverageSaved(x.shape, shape, kernel_size, stride, padding, counted, divisor)
    y = _memory.empty(shape, x.dtype)
    if y.size:
        implementation = IMPLEMENTATIONS[device_of(x)]
        work = implementation.average_forward_scratch(x, kernel_size, stride, padding)
        implementation.average_forward(
            x=x,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            count_include_pad=saved.count_include_pad,
            divisor=saved.divisor,
            **_memory.scratch(work),
            out_y=y,
        )
    return y, saved


def average_backward(dy: np.ndarray, saved: AverageSaved) -> np.ndarray:
    """Return dx: each dy, divided by its window's count, goes to all of the window."""
    dy = gradient("avg_pool2d", dy, saved.y_shape)
    dx = _memory.empty(saved.x_shape, dy.dtype)
    if dx.size:
        implementation = IMPLEMENTATIONS[device_of(dy)]
        window = saved.kernel_size, saved.stride, saved.padding
        work = implementation.average_backward_scratch(*window, dx)
        implementation.average_backward(
            dy=dy,
            kernel_size=saved.kernel_size,
            stride=saved.stride,
            padding=saved.padding,
            count_include_pad=saved.count_include_pad,
            divisor=saved.divisor,
            **_memory.scratch(work),
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
    check_image(op, x)
    check_pair(op, "output_size", output_size, 1)
    saved = AdaptiveSaved(x.shape, x.shape[:2] + tuple(output_size))
    y = _memory.empty(saved.y_shape, x.dtype)
    if y.size:
        implementation = IMPLEMENTATIONS[device_of(x)]
        work = _memory.scratch(implementation.adaptive_average_forward_scratch(x, y))
        implementation.adaptive_average_forward(x=x, **work, out_y=y)
    return y, saved


def adaptive_average_backward(dy: np.ndarray, saved: AdaptiveSaved) -> np.ndarray:
    """Return dx: each dy, divided by its window's count, goes to all of the window."""
    dy = gradient("adaptive_avg_pool2d", dy, saved.y_shape)
    dx = _memory.empty(saved.x_shape, dy.dtype)
    if dx.size:
        implementation = IMPLEMENTATIONS[device_of(dy)]
        work = _memory.scratch(implementation.adaptive_average_backward_scratch(dy, dx))
        implementation.adaptive_average_backward(dy=dy, **work, out_dx=dx)
    return dx


def adaptive_max_forward(x: np.ndarray, output_size: Pair) -> tuple[np.ndarray, AdaptiveMaxSaved]:
    """Return y of shape (N, C, *output_size): the greatest of windows that cover x evenly.

    The windows are those of `adaptive_average_forward`; of equal maxima the first counts.

    >>> import numpy as np
    >>> from kernels import pool2d
    >>> pool2d.adaptive_max_forward(np.arange(6.0).reshape(1, 1, 2, 3), (1, 2))[0][0, 0]
    array([[4., 5.]])
    """
    op = "adaptive_max_pool2d"
    (x,) = float_arrays(op, x=x)
    check_image(op, x)
    check_pair(op, "output_size", output_size, 1)
    shape = x.shape[:2] + tuple(output_size)
    y, argmax = _memory.empty(shape, x.dtype), _memory.empty(shape, np.int32)
    if y.size:
        IMPLEMENTATIONS[device_of(x)].adaptive_max_forward(x=x, out_y=y, out_argmax=argmax)
    return y, AdaptiveMaxSaved(argmax, x.shape)


def adaptive_max_backward(dy: np.ndarray, saved: AdaptiveMaxSaved) -> np.ndarray:
    """Return dx: each dy goes to the element its maximum was, those of one element are added."""
    dy = gradient("adaptive_max_pool2d", dy, saved.argmax.shape)
    dx = _memory.empty(saved.x_shape, dy.dtype)
    if dx.size:
        IMPLEMENTATIONS[device_of(dy)].adaptive_max_backward(dy=dy, argmax=saved.argmax, out_dx=dx)
    return dx
