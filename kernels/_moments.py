"""Mean and spread of runs of elements; a spread is a sum of squared deviations from the mean.

Sums are taken of what is left of elements less a shift near their mean, so that squares stay small:
the sum of squares alone would lose what deviates to what does not. README.md of batch_norm.
"""

import numpy as np

from kernels._jit import jit
from kernels._range import all_equal
from kernels._simd import fma, full, lanes, load, load_some, sum_lanes


@jit
def deviation_sums(x, start, rows, pitch, size, shift):
    """Sums of x - shift and of its square, over rows of `size` elements that are `pitch` apart.

    Two values of each, since an addition waits for the one before it.
    """
    width = lanes(x)
    total, squares = full(x, 0.0), full(x, 0.0)
    more_total, more_squares = full(x, 0.0), full(x, 0.0)
    for r in range(rows):
        row = start + r * pitch
        end = row + size
        pairs = end - size % (2 * width)
        for i in range(row, pairs, 2 * width):
            deviation, other = load(x, i) - shift, load(x, i + width) - shift
            total += deviation
            more_total += other
            squares = fma(deviation, deviation, squares)
            more_squares = fma(other, other, more_squares)
        for i in range(pairs, end, width):
            deviation = load_some(x, i, end - i, shift) - shift
            total += deviation
            squares = fma(deviation, deviation, squares)
    return sum_lanes(total + more_total), sum_lanes(squares + more_squares)


@jit
def wide_moments(x, start, rows, pitch, size):
    """Mean and spread of such rows in float64, where squares are beyond float32."""
    flat = x.reshape(-1)
    alike = True
    for r in range(rows):
        row = start + r * pitch
        alike &= flat[row] == flat[start] and all_equal(flat, row, size)
    if alike:
        return np.float64(flat[start]), 0.0
    mean = spread = 0.0
    for r in range(rows):
        row = start + r * pitch
        for i in range(row, row + size):
            mean += flat[i]
    mean /= rows * size
    for r in range(rows):
        row = start + r * pitch
        for i in range(row, row + size):
            deviation = flat[i] - mean
            spread += deviation * deviation
    return mean, spread


@jit
def block_moments(count, shift, total, squares):
    """Mean and spread from the two sums; of equal elements, rounding may bring it below zero."""
    offset = total / count
    return shift + offset, squares - total * offset


@jit
def merge_moments(count, mean, spread, more, more_mean, more_spread):
    """Mean and spread of a union (Chan, Golub & LeVeque 1979)."""
    share = more / (count + more)
    apart = more_mean - mean
    return mean + apart * share, spread + more_spread + apart * apart * (count * share)
