"""Sums and masks that several kernels need: bias gradients, fused ReLU, lengths of rows."""

import numpy as np

from kernels._jit import jit, parallel
from kernels._simd import (
    full,
    lanes,
    load_as,
    load_some,
    maximum,
    select,
    store_as,
    store_some,
    sum_lanes,
)
from kernels._tasks import share_out

# Elements a task: 64 KiB of float32, a few microseconds.
CHUNK = 1 << 14

_LIKE_DOUBLE = np.zeros(1)


def mask_where_positive(dy, y, out_dy):
    """The gradient before a fused ReLU: dy where y > 0, else 0. All of one shape."""
    _mask(-(-dy.size // CHUNK), dy, y, out_dy)


@parallel
def _mask(chunk, dy, y, out_dy):
    stop = min((chunk + 1) * CHUNK, dy.size)
    for i in range(chunk * CHUNK, stop, lanes(dy)):
        positive = load_some(y, i, stop - i, 0.0) > 0.0
        store_some(out_dy, i, stop - i, select(positive, load_some(dy, i, stop - i, 0.0), 0.0))


def column_sums(x, out_sums):
    """out_sums[j] = sum_i x[i, j], in float64; x (M, N).

    M N additions and as many elements read: bound by memory. Parallel over columns.
    """
    columns = x.shape[1]
    tasks, span = share_out(columns, 64, columns if x.size <= CHUNK else 0)
    _sum_columns(tasks, x, span, out_sums)


@parallel
def _sum_columns(task, x, span, out_sums):
    """A value of columns at a time."""
    rows, columns = x.shape
    j, stop = task * span, min((task + 1) * span, columns)
    while j + lanes(_LIKE_DOUBLE) <= stop:
        total = full(_LIKE_DOUBLE, 0.0)
        for i in range(rows):
            total += load_as(x, i * columns + j, _LIKE_DOUBLE)
        store_as(out_sums, j, total)
        j += lanes(_LIKE_DOUBLE)
    while j < stop:
        scalar = 0.0
        for i in range(rows):
            scalar += x[i, j]
        out_sums[j] = scalar
        j += 1


def channel_sums(x, out_sums):
    """out_sums[c] = the sum of x[:, c, :], in float64; x (N, C, S). Parallel over C."""
    channels = x.shape[1]
    tasks, span = share_out(channels, 1, channels if x.size <= CHUNK else 0)
    _sum_channels(tasks, x, span, out_sums)


@parallel
def _sum_channels(task, x, span, out_sums):
    images, channels, positions = x.shape
    for channel in range(task * span, min((task + 1) * span, channels)):
        total = 0.0
        for n in range(images):
            total += _sum_run(x, (n * channels + channel) * positions, positions)
        out_sums[channel] = total


@jit
def _sum_run(x, start, count):
    """The sum of `count` elements: float32 lanes, emptied into float64 every 1024 elements."""
    total = 0.0
    for first in range(0, count, 1024):
        stop = min(count, first + 1024)
        partial = full(x, 0.0)
        for i in range(first, stop, lanes(x)):
            partial += load_some(x, start + i, stop - i, 0.0)
        total += sum_lanes(partial)
    return total


@jit
def add_rectify(values, start, count, shift, relu):
    """values += shift, then max(., 0) where `relu`, on `count` elements; NaN stays."""
    for i in range(0, count, lanes(values)):
        value = load_some(values, start + i, count - i, 0.0) + shift
        if relu:
            value = maximum(value, 0.0)
        store_some(values, start + i, count - i, value)


@jit
def sum_squares(x, start, stop):
    """Of flat elements [start, stop), in float64; two values at a time hide adding's latency."""
    width = lanes(_LIKE_DOUBLE)
    one, other = full(_LIKE_DOUBLE, 0.0), full(_LIKE_DOUBLE, 0.0)
    i = start
    while i + 2 * width <= stop:
        a, b = load_as(x, i, _LIKE_DOUBLE), load_as(x, i + width, _LIKE_DOUBLE)
        one += a * a
        other += b * b
        i += 2 * width
    total = sum_lanes(one + other)
    flat = x.reshape(-1)
    while i < stop:
        value = np.float64(flat[i])
        total += value * value
        i += 1
    return total


@jit
def multiply(x, start, stop, factor):
    """x *= factor on flat elements [start, stop)."""
    for i in range(start, stop, lanes(x)):
        store_some(x, i, stop - i, load_some(x, i, stop - i, 0.0) * factor)
