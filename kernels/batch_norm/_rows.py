"""The loops of cpu_planes over a few rows: elements of one channel that lie side by side.

`start` is the position of the first row in (N, C, S); the next begins C * S behind it. Sums keep
two values each, since an addition waits for the one before it. The last value that is written of
a row ends where the row does and overlaps its neighbour, for masked stores are slow.
"""

import numpy as np

from kernels._jit import jit
from kernels._range import all_equal
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


@jit
def deviation_sums(x, start, rows, columns, shift):
    """Sums of x - shift and of its square."""
    pitch, step = x.shape[1] * x.shape[2], lanes(x)
    total, squares = full(x, 0.0), full(x, 0.0)
    more_total, more_squares = full(x, 0.0), full(x, 0.0)
    for row in range(start, start + rows * pitch, pitch):
        i, end = row, row + columns
        while i + 2 * step <= end:
            deviation, other = load(x, i) - shift, load(x, i + step) - shift
            total += deviation
            more_total += other
            squares = fma(deviation, deviation, squares)
            more_squares = fma(other, other, more_squares)
            i += 2 * step
        while i < end:
            deviation = load_first(x, i, min(step, end - i), shift) - shift
            total += deviation
            squares = fma(deviation, deviation, squares)
            i += step
    return sum_lanes(total + more_total), sum_lanes(squares + more_squares)


@jit
def wide_moments(x, start, rows, columns):
    """Mean and sum of squared deviations, in float64."""
    pitch, flat = x.shape[1] * x.shape[2], x.reshape(-1)
    alike = True
    for row in range(start, start + rows * pitch, pitch):
        alike &= flat[row] == flat[start] and all_equal(flat, row, columns)
    if alike:
        return np.float64(flat[start]), 0.0
    mean = squares = 0.0
    for row in range(start, start + rows * pitch, pitch):
        for i in range(row, row + columns):
            mean += flat[i]
    mean /= rows * columns
    for row in range(start, start + rows * pitch, pitch):
        for i in range(row, row + columns):
            deviation = flat[i] - mean
            squares += deviation * deviation
    return mean, squares


@jit
def write_line(x, residual, start, rows, head, scale, offset, add, relu, past, out_y):
    """y = (x - head) * scale + offset, with what `add` and `relu` ask for."""
    _, channels, width = x.shape
    pitch, step = channels * width, lanes(x)
    floor = 0.0 if relu else -np.inf
    for row in range(start, start + rows * pitch, pitch):
        if width < step:
            y = fma(load_first(x, row, width, head) - head, scale, offset)
            if add:
                y += load_first(residual, row, width, 0.0)
            store_first(out_y, row, width, select(y < floor, floor, y))
            continue
        last = row + width - step
        for i in range(row, row + width, step):
            i = min(i, last)
            y = fma(load(x, i) - head, scale, offset)
            if add:
                y += load(residual, i)
            y = select(y < floor, floor, y)
            if past:
                stream(out_y, i, y)
            else:
                store(out_y, i, y)


@jit
def block_gradient_sums(
    dy, x, y, start, rows, columns, head, scale, offset, add, relu, past, out_dresidual
):
    """Sums of the slope, dy where ReLU passes it, and of slope * (x - head).

    With `add` the slope is written, and y is what the ReLU gave; else it was the line's.
    """
    pitch, step = x.shape[1] * x.shape[2], lanes(x)
    total, product = full(x, 0.0), full(x, 0.0)
    more_total, more_product = full(x, 0.0), full(x, 0.0)
    for row in range(start, start + rows * pitch, pitch):
        i, end = row, row + columns
        while i + 2 * step <= end:
            slope, more_slope = load(dy, i), load(dy, i + step)
            deviation, more_deviation = load(x, i) - head, load(x, i + step) - head
            if add:
                slope = select(load(y, i) <= 0.0, 0.0, slope)
                more_slope = select(load(y, i + step) <= 0.0, 0.0, more_slope)
                if past:
                    stream(out_dresidual, i, slope)
                    stream(out_dresidual, i + step, more_slope)
                else:
                    store(out_dresidual, i, slope)
                    store(out_dresidual, i + step, more_slope)
            elif relu:
                slope = select(fma(deviation, scale, offset) <= 0.0, 0.0, slope)
                more_slope = select(fma(more_deviation, scale, offset) <= 0.0, 0.0, more_slope)
            total += slope
            more_total += more_slope
            product = fma(slope, deviation, product)
            more_product = fma(more_slope, more_deviation, more_product)
            i += 2 * step
        while i < end:
            count = min(step, end - i)
            slope, deviation = load_first(dy, i, count, 0.0), load_first(x, i, count, head) - head
            if add:
                slope = select(load_first(y, i, count, 0.0) <= 0.0, 0.0, slope)
                store_first(out_dresidual, i, count, slope)
            elif relu:
                slope = select(fma(deviation, scale, offset) <= 0.0, 0.0, slope)
            total += slope
            product = fma(slope, deviation, product)
            i += step
    return sum_lanes(total + more_total), sum_lanes(product + more_product)


@jit
def write_gradient(
    slopes, x, start, rows, head, scale, offset, slant, level, relu, training, past, out_dx
):
    """dx = scale * slope, in training plus slant * (x - head) + level.

    With `relu` the slope is 0 where the line gave no more than 0.
    """
    _, channels, width = x.shape
    pitch, step = channels * width, lanes(x)
    for row in range(start, start + rows * pitch, pitch):
        if width < step:
            slope = load_first(slopes, row, width, 0.0)
            deviation = load_first(x, row, width, head) - head
            if relu:
                slope = select(fma(deviation, scale, offset) <= 0.0, 0.0, slope)
            dx = slope * scale
            if training:
                dx += fma(deviation, slant, level)
            store_first(out_dx, row, width, dx)
            continue
        last = row + width - step
        for i in range(row, row + width, step):
            i = min(i, last)
            slope, deviation = load(slopes, i), load(x, i) - head
            if relu:
                slope = select(fma(deviation, scale, offset) <= 0.0, 0.0, slope)
            dx = slope * scale
            if training:
                dx += fma(deviation, slant, level)
            if past:
                stream(out_dx, i, dx)
            else:
                store(out_dx, i, dx)
