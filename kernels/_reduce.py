"""Sums and masks that several kernels need around a product: bias gradients, fused ReLU."""

import numpy as np

from kernels import _jit
from kernels._jit import prange
from kernels._simd import (
    full,
    lanes,
    load,
    load_as,
    load_first,
    maximum,
    select,
    store,
    store_first,
    sum_lanes,
)

# Elements a task: 64 KiB of float32, a few microseconds.
CHUNK = 1 << 14


@_jit.jit
def _mask(dy, y, out_dy, start, stop):
    step = lanes(dy)
    i = start
    while i + step <= stop:
        store(out_dy, i, select(load(y, i) > 0.0, load(dy, i), 0.0))
        i += step
    if i < stop:
        kept = load_first(y, i, stop - i, 0.0) > 0.0
        value = load_first(dy, i, stop - i, 0.0)
        store_first(out_dy, i, stop - i, select(kept, value, 0.0))


@_jit.parallel_loops
def mask_where_positive(dy, y, out_dy):
    """The gradient before a fused ReLU: dy where y > 0, else 0. All of one shape."""
    chunks = (dy.size + CHUNK - 1) // CHUNK
    if chunks == 1:
        _mask(dy, y, out_dy, 0, dy.size)
    else:
        for index in prange(chunks):
            chunk = np.int64(index)
            _mask(dy, y, out_dy, chunk * CHUNK, min(dy.size, (chunk + 1) * CHUNK))


@_jit.jit
def _sum_columns(x, wide, out_sums, start, stop):
    """Sum columns [start, stop) of x (M, N) in float64, a register of columns at a time."""
    rows, columns = x.shape
    step = lanes(wide)
    j = start
    while j + step <= stop:
        total = full(wide, 0.0)
        for i in range(rows):
            total += load_as(x, i * columns + j, wide)
        store(wide, j, total)
        j += step
    while j < stop:
        scalar = 0.0
        for i in range(rows):
            scalar += x[i, j]
        wide[j] = scalar
        j += 1
    for k in range(start, stop):
        out_sums[k] = wide[k]


@_jit.parallel_loops
def column_sums(x, work_wide, out_sums):
    """out_sums[j] = sum_i x[i, j]; x (M, N), work_wide (N,) float64.

    M N additions and as many elements read: bound by memory. Parallel over columns.
    """
    columns = x.shape[1]
    if x.size <= CHUNK:
        _sum_columns(x, work_wide, out_sums, 0, columns)
    else:
        strips = (columns + 63) // 64
        for index in prange(strips):
            strip = np.int64(index)
            _sum_columns(x, work_wide, out_sums, strip * 64, min(columns, strip * 64 + 64))


@_jit.jit
def _sum_run(x, start, count):
    """The sum of `count` elements: float32 lanes, emptied into float64 every 1024 elements."""
    step = lanes(x)
    total = 0.0
    done = 0
    while done < count:
        stop = min(count, done + 1024)
        partial = full(x, 0.0)
        while done + step <= stop:
            partial += load(x, start + done)
            done += step
        if done < stop:
            partial += load_first(x, start + done, stop - done, 0.0)
            done = stop
        total += sum_lanes(partial)
    return total


@_jit.jit
def _sum_channel(x, channel):
    images, channels, positions = x.shape
    total = 0.0
    for n in range(images):
        total += _sum_run(x, (n * channels + channel) * positions, positions)
    return total


@_jit.parallel_loops
def channel_sums(x, out_sums):
    """out_sums[c] = the sum of x[:, c, :], in float64; x (N, C, S). Parallel over C."""
    channels = x.shape[1]
    if x.size <= CHUNK:
        for c in range(channels):
            out_sums[c] = _sum_channel(x, c)
    else:
        for index in prange(channels):
            c = np.int64(index)
            out_sums[c] = _sum_channel(x, c)


@_jit.jit
def add_rectify(values, start, count, shift, relu):
    """values += shift, then max(., 0) where `relu`, on `count` elements; NaN stays."""
    step = lanes(values)
    i = 0
    while i + step <= count:
        v = load(values, start + i) + shift
        if relu:
            v = maximum(v, 0.0)
        store(values, start + i, v)
        i += step
    if i < count:
        v = load_first(values, start + i, count - i, 0.0) + shift
        if relu:
            v = maximum(v, 0.0)
        store_first(values, start + i, count - i, v)
