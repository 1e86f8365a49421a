"""The loops of cpu_columns over samples first to last, for the columns of one strip.

`lines` are the strip's rows of scratch: head, scale and offset of each column, and behind them
two sums, or x_scale and dx_offset. Of a strip's last columns only so many lanes are read and
written.
"""

import numpy as np

from kernels._jit import jit
from kernels._range import beyond_float32
from kernels._simd import fma, lanes, load, load_some, select, store, store_some


@jit
def add_deviations(x, first, last, column, columns, head, total, squares):
    """Add x - head and its square."""
    channels, width = x.shape[1], lanes(x)
    for c in range(0, columns, width):
        start, count = column + c, columns - c
        centre, sums, square_sums = load(head, c), load(total, c), load(squares, c)
        for sample in range(first, last):
            deviation = load_some(x, sample * channels + start, count, 0.0) - centre
            sums += deviation
            square_sums = fma(deviation, deviation, square_sums)
        store(total, c, sums)
        store(squares, c, square_sums)


@jit
def correct_moments(x, first, last, column, begin, end, total, squares, means, spreads):
    """Those of columns [begin, end) anew, in float64, whose squares may be no float32's.

    A column of equal numbers, with sums of 0, is left alone: such are frequent.
    """
    for c in range(begin, end):
        equal = x[first, column + c, 0] == x[last - 1, column + c, 0]
        if not beyond_float32(x, squares[c]) or (total[c] == 0.0 and squares[c] == 0.0 and equal):
            continue
        mean = spread = 0.0
        for sample in range(first, last):
            mean += x[sample, column + c, 0]
        mean /= last - first
        for sample in range(first, last):
            deviation = x[sample, column + c, 0] - mean
            spread += deviation * deviation
        means[c], spreads[c] = mean, spread


@jit
def write_lines(x, residual, first, last, column, columns, relu, lines, out_y):
    """y = (x - head) * scale + offset, plus a residual where there is one."""
    head, scale, offset = lines[0], lines[1], lines[2]
    channels, width = x.shape[1], lanes(x)
    add = residual.size > 0
    floor = 0.0 if relu else -np.inf
    for c in range(0, columns, width):
        start, count = column + c, columns - c
        centre, slope, level = load(head, c), load(scale, c), load(offset, c)
        for sample in range(first, last):
            i = sample * channels + start
            y = fma(load_some(x, i, count, 0.0) - centre, slope, level)
            if add:
                y += load_some(residual, i, count, 0.0)
            store_some(out_y, i, count, select(y < floor, floor, y))


@jit
def add_slopes(dy, x, y, first, last, column, columns, relu, lines, out_dresidual):
    """Given y, its ReLU counts, and the slope is written; else that of the line does."""
    head, scale, offset, total, product = lines[0], lines[1], lines[2], lines[3], lines[4]
    channels, width = x.shape[1], lanes(x)
    added = y.size > 0
    for c in range(0, columns, width):
        start, count = column + c, columns - c
        centre, factor, level = load(head, c), load(scale, c), load(offset, c)
        sums, product_sums = load(total, c), load(product, c)
        for sample in range(first, last):
            i = sample * channels + start
            slope = load_some(dy, i, count, 0.0)
            deviation = load_some(x, i, count, 0.0) - centre
            if added:
                slope = select(load_some(y, i, count, 0.0) <= 0.0, 0.0, slope)
                store_some(out_dresidual, i, count, slope)
            elif relu:
                slope = select(fma(deviation, factor, level) <= 0.0, 0.0, slope)
            sums += slope
            product_sums = fma(slope, deviation, product_sums)
        store(total, c, sums)
        store(product, c, product_sums)


@jit
def write_gradients(slopes, x, first, last, column, columns, relu, training, lines, out_dx):
    """dx = scale * slope, in training plus x_scale * (x - head) + dx_offset.

    With `relu` the slope is 0 where the line gave no more than 0.
    """
    head, scale, offset, x_scale, dx_offset = lines[0], lines[1], lines[2], lines[3], lines[4]
    channels, width = x.shape[1], lanes(x)
    for c in range(0, columns, width):
        start, count = column + c, columns - c
        centre, factor, level = load(head, c), load(scale, c), load(offset, c)
        x_factor, base = load(x_scale, c), load(dx_offset, c)
        for sample in range(first, last):
            i = sample * channels + start
            slope = load_some(slopes, i, count, 0.0)
            deviation = load_some(x, i, count, 0.0) - centre
            if relu:
                slope = select(fma(deviation, factor, level) <= 0.0, 0.0, slope)
            dx = slope * factor
            if training:
                dx += fma(deviation, x_factor, base)
            store_some(out_dx, i, count, dx)
