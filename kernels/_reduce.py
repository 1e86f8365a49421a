"""Sums and masks that several kernels need around a product: bias gradients, fused ReLU."""

from kernels._jit import jit, parallel
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
from kernels._tasks import share_out

# Elements a task: 64 KiB of float32, a few microseconds.
CHUNK = 1 << 14


def mask_where_positive(dy, y, out_dy):
    """The gradient before a fused ReLU: dy where y > 0, else 0. All of one shape."""
    _mask(-(-dy.size // CHUNK), dy, y, out_dy)


@parallel
def _mask(chunk, dy, y, out_dy):
    i, stop = chunk * CHUNK, min((chunk + 1) * CHUNK, dy.size)
    step = lanes(dy)
    while i + step <= stop:
        store(out_dy, i, select(load(y, i) > 0.0, load(dy, i), 0.0))
        i += step
    if i < stop:
        kept = load_first(y, i, stop - i, 0.0) > 0.0
        value = load_first(dy, i, stop - i, 0.0)
        store_first(out_dy, i, stop - i, select(kept, value, 0.0))


def column_sums(x, work_wide, out_sums):
    """out_sums[j] = sum_i x[i, j]; x (M, N), work_wide (N,) float64.

    M N additions and as many elements read: bound by memory. Parallel over columns.
    """
    columns = x.shape[1]
    tasks, span = share_out(columns, 64, columns if x.size <= CHUNK else 0)
    _sum_columns(tasks, x, work_wide, span, out_sums)


@parallel
def _sum_columns(task, x, work_wide, span, out_sums):
    """In float64, a register of columns at a time."""
    wide = work_wide
    rows, columns = x.shape
    start, stop = task * span, min((task + 1) * span, columns)
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


@jit
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
