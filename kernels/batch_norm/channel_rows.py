"""The loops of cpu_planes over a few rows: elements of one channel that lie side by side.

`start` is the position of the first row in (N, C, S); the next begins C * S behind it. `line` is
(head, scale, offset). The last value that is written of a row ends where the row does and overlaps
its neighbour, for masked stores are slow.
"""

import numpy as np

from kernels._jit import jit
from kernels._simd import (
    fma,
    full,
    lanes,
    load,
    load_first,
    select,
    store,
    store_first,
    stream,
    sum_lanes,
)
from kernels._streaming import put


@jit
def write_line(x, residual, start, rows, line, relu, past, out_y):
    """y = (x - head) * scale + offset, plus a residual where there is one."""
    head, scale, offset = line
    _, channels, positions = x.shape
    pitch, width = channels * positions, lanes(x)
    add = residual.size > 0
    floor = 0.0 if relu else -np.inf
    for row in range(start, start + rows * pitch, pitch):
        if positions < width:
            y = fma(load_first(x, row, positions, head) - head, scale, offset)
            if add:
                y += load_first(residual, row, positions, 0.0)
            store_first(out_y, row, positions, select(y < floor, floor, y))
            continue
        last = row + positions - width
        for i in range(row, row + positions, width):
            i = min(i, last)
            y = fma(load(x, i) - head, scale, offset)
            if add:
                y += load(residual, i)
            put(out_y, i, select(y < floor, floor, y), past)


@jit
def add_slopes(dy, x, y, start, rows, columns, line, relu, past, out_dresidual):
    """Sums of the slope, dy where the ReLU passes it, and of slope * (x - head).

    Given y, its ReLU counts, and the slope is written; else that of the line does. Two values of
    each sum, since an addition waits for the one before it.
    """
    head, scale, offset = line
    pitch, width = x.shape[1] * x.shape[2], lanes(x)
    added = y.size > 0
    total, product = full(x, 0.0), full(x, 0.0)
    more_total, more_product = full(x, 0.0), full(x, 0.0)
    for row in range(start, start + rows * pitch, pitch):
        i, end = row, row + columns
        while i + 2 * width <= end:
            slope, more_slope = load(dy, i), load(dy, i + width)
            deviation, more_deviation = load(x, i) - head, load(x, i + width) - head
            if added:
                slope = select(load(y, i) <= 0.0, 0.0, slope)
                more_slope = select(load(y, i + width) <= 0.0, 0.0, more_slope)
                put(out_dresidual, i, slope, past)
                put(out_dresidual, i + width, more_slope, past)
            elif relu:
                slope = select(fma(deviation, scale, offset) <= 0.0, 0.0, slope)
                more_slope = select(fma(more_deviation, scale, offset) <= 0.0, 0.0, more_slope)
            total += slope
            more_total += more_slope
            product = fma(slope, deviation, product)
            more_product = fma(more_slope, more_deviation, more_product)
            i += 2 * width
        while i < end:
            count = min(width, end - i)
            slope, deviation = load_first(dy, i, count, 0.0), load_first(x, i, count, head) - head
            if added:
                slope = select(load_first(y, i, count, 0.0) <= 0.0, 0.0, slope)
                store_first(out_dresidual, i, count, slope)
            elif relu:
                slope = select(fma(deviation, scale, offset) <= 0.0, 0.0, slope)
            total += slope
            product = fma(slope, deviation, product)
            i += width
    return sum_lanes(total + more_total), sum_lanes(product + more_product)


@jit
def write_gradient(slopes, x, start, rows, line, dx_line, relu, training, past, out_dx):
    """dx = scale * slope, in training plus x_scale * (x - head) + dx_offset.

    With `relu` the slope is 0 where the line gave no more than 0.
    """
    head, scale, offset = line
    x_scale, dx_offset = dx_line
    _, channels, positions = x.shape
    pitch, width = channels * positions, lanes(x)
    for row in range(start, start + rows * pitch, pitch):
        if positions < width:
            slope = load_first(slopes, row, positions, 0.0)
            deviation = load_first(x, row, positions, head) - head
            if relu:
                slope = select(fma(deviation, scale, offset) <= 0.0, 0.0, slope)
            dx = slope * scale
            if training:
                dx += fma(deviation, x_scale, dx_offset)
            store_first(out_dx, row, positions, dx)
            continue
        last = row + positions - width
        for i in range(row, row + positions, width):
            i = min(i, last)
            slope, deviation = load(slopes, i), load(x, i) - head
            if relu:
                slope = select(fma(deviation, scale, offset) <= 0.0, 0.0, slope)
            dx = slope * scale
            if training:
                dx += fma(deviation, x_scale, dx_offset)
            if past:
                stream(out_dx, i, dx)
            else:
                store(out_dx, i, dx)
