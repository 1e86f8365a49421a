"""The loops of cpu_columns over samples first to last, for the columns of one strip.

`lines` are the strip's rows of scratch: head, scale and offset of each column, and behind them
sums or slant and level. Of a strip's last columns only so many lanes are read and written.
"""

import numpy as np

from kernels._jit import jit
from kernels._range import beyond_float32
from kernels._simd import fma, lanes, load, load_first, select, store, store_first


@jit
def add_rows(x, first, last, column, columns, head, total, squares):
    """Add x - head and its square."""
    channels, step = x.shape[1], lanes(x)
    for c in range(0, columns, step):
        start, count = column + c, columns - c
        centre, sums, square_sums = load(head, c), load(total, c), load(squares, c)
        for sample in range(first, last):
            i = sample * channels + start
            value = load(x, i) if count >= step else load_first(x, i, count, 0.0)
            deviation = value - centre
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
def write_rows(x, residual, first, last, column, columns, add, relu, lines, out_y):
    """y = (x - head) * scale + offset, with what `add` and `relu` ask for."""
    head, scale, offset = lines[0], lines[1], lines[2]
    channels, step = x.shape[1], lanes(x)
    floor = 0.0 if relu else -np.inf
    for c in range(0, columns, step):
        start, count = column + c, columns - c
        centre, slope, level = load(head, c), load(scale, c), load(offset, c)
        for sample in range(first, last):
            i = sample * channels + start
            value = load(x, i) if count >= step else load_first(x, i, count, 0.0)
            y = fma(value - centre, slope, level)
            if add:
                y += load(residual, i) if count >= step else load_first(residual, i, count, 0.0)
            y = select(y < floor, floor, y)
            if count >= step:
                store(out_y, i, y)
            else:
                store_first(out_y, i, count, y)


@jit
def add_gradient_rows(dy, x, y, first, last, column, columns, add, relu, lines, out_dresidual):
    """With `add` the slope is written, and y is what the ReLU gave; else it was the line's."""
    head, scale, offset, total, product = lines[0], lines[1], lines[2], lines[3], lines[4]
    channels, step = x.shape[1], lanes(x)
    for c in range(0, columns, step):
        start, count = column + c, columns - c
        centre, factor, level = load(head, c), load(scale, c), load(offset, c)
        sums, product_sums = load(total, c), load(product, c)
        for sample in range(first, last):
            i = sample * channels + start
            slope = load(dy, i) if count >= step else load_first(dy, i, count, 0.0)
            value = load(x, i) if count >= step else load_first(x, i, count, 0.0)
            deviation = value - centre
            if add:
                above = load(y, i) if count >= step else load_first(y, i, count, 0.0)
                slope = select(above <= 0.0, 0.0, slope)
                if count >= step:
                    store(out_dresidual, i, slope)
                else:
                    store_first(out_dresidual, i, count, slope)
            elif relu:
                slope = select(fma(deviation, factor, level) <= 0.0, 0.0, slope)
            sums += slope
            product_sums = fma(slope, deviation, product_sums)
        store(total, c, sums)
        store(product, c, product_sums)


@jit
def write_gradient_rows(slopes, x, first, last, column, columns, relu, training, lines, out_dx):
    """dx = scale * slope, in training plus slant * (x - head) + level.

    With `relu` the slope is 0 where the line gave no more than 0.
    """
    head, scale, offset, slant, level = lines[0], lines[1], lines[2], lines[3], lines[4]
    channels, step = x.shape[1], lanes(x)
    for c in range(0, columns, step):
        start, count = column + c, columns - c
        centre, factor, height = load(head, c), load(scale, c), load(offset, c)
        slope_x, base = load(slant, c), load(level, c)
        for sample in range(first, last):
            i = sample * channels + start
            slope = load(slopes, i) if count >= step else load_first(slopes, i, count, 0.0)
            value = load(x, i) if count >= step else load_first(x, i, count, 0.0)
            deviation = value - centre
            if relu:
                slope = select(fma(deviation, factor, height) <= 0.0, 0.0, slope)
            dx = slope * factor
            if training:
                dx += fma(deviation, slope_x, base)
            if count >= step:
                store(out_dx, i, dx)
            else:
                store_first(out_dx, i, count, dx)
