"""Sums over a run of elements that lie side by side, and loops over such runs.

Sums run in lanes of the array's dtype over at most BLOCK elements, then go on in float64.
"""

import numpy as np

from .._jit import jit
from .._range import all_equal, beyond_float32
from .._simd import (
    REGISTER_BYTES,
    fma,
    full,
    lanes,
    load,
    load_first,
    store,
    store_first,
    stream,
    sum_lanes,
)
from .._tasks import share_out

BLOCK = 1024

# One thread needs about 15 us for this much, as long as the others need to wake.
SERIAL_BELOW = 1 << 15

# A task takes as many rows as make up this many elements.
_TASK = 1 << 14

# So many elements give a first estimate of a mean.
FEW = 64

# Arrays of a pass that together take this much do not stay in a cache of 32 MB.
_PAST_CACHES = 24 << 20


def shares(rows, size):
    """How many tasks `rows` rows of `size` elements make, and of how many rows each."""
    return share_out(rows, max(1, _TASK // size), (SERIAL_BELOW - 1) // size)


@jit
def load_some(array, start, count, fill):
    """`count` elements, at most one value's; `fill` in lanes beyond them."""
    if count == lanes(array):
        return load(array, start)
    return load_first(array, start, count, fill)


@jit
def put(out, start, value, past):
    """Store a whole value, past the caches or not."""
    if past:
        stream(out, start, value)
    else:
        store(out, start, value)


@jit
def past_caches(arrays, run, out):
    """Whether to write `out` past the caches, in runs that are whole aligned values.

    A store first reads the line it falls on; where `arrays` arrays like `out` exceed the caches
    that costs a third of the time.
    """
    aligned = run % lanes(out) == 0 and out.ctypes.data % REGISTER_BYTES == 0
    return aligned and arrays * out.size * out.itemsize >= _PAST_CACHES


@jit
def shifted_sums(x, start, size, shift):
    """Sums of x - shift and of its square over a block; two chains of each hide latency."""
    step = lanes(x)
    total, squares = full(x, 0.0), full(x, 0.0)
    more, more_squares = full(x, 0.0), full(x, 0.0)
    stop = start + size
    pairs = stop - size % (2 * step)
    for i in range(start, pairs, 2 * step):
        one, two = load(x, i) - shift, load(x, i + step) - shift
        total += one
        more += two
        squares = fma(one, one, squares)
        more_squares = fma(two, two, more_squares)
    for i in range(pairs, stop, step):
        one = load_some(x, i, min(step, stop - i), shift) - shift
        total += one
        squares = fma(one, one, squares)
    return sum_lanes(total + more), sum_lanes(squares + more_squares)


@jit
def moments(x, start, size):
    """Mean and biased variance of a run.

    Each block is shifted by the mean so far, the first one by that of a few elements, so that
    sums of squares stay small; moments of blocks merge as in Chan, Golub & LeVeque 1979.
    """
    shift = x.dtype.type(_mean_of_few(x, start, min(FEW, size)))
    count = min(BLOCK, size)
    mean, squares = _block_moments(x, start, count, shift)
    for begin in range(BLOCK, size, BLOCK):
        more = min(BLOCK, size - begin)
        more_mean, more_squares = _block_moments(x, start + begin, more, x.dtype.type(mean))
        apart, share = more_mean - mean, more / (count + more)
        squares += more_squares + apart * apart * count * share
        mean += apart * share
        count += more
    if beyond_float32(x, squares):
        mean, squares = wide_moments(x, start, size)
    return mean, squares / size


@jit
def _mean_of_few(x, start, count):
    step = lanes(x)
    total = full(x, 0.0)
    for i in range(start, start + count, step):
        total += load_some(x, i, min(step, start + count - i), 0.0)
    return sum_lanes(total) / count


@jit
def _block_moments(x, start, count, shift):
    """Mean and sum of squared deviations of a block."""
    total, squares = shifted_sums(x, start, count, shift)
    offset = total / count
    squares -= total * offset
    # Rounding may bring equal elements below zero; written so that NaN stays.
    return shift + offset, 0.0 if squares < 0.0 else squares


@jit
def mean_square(x, start, size):
    squares = 0.0
    for begin in range(start, start + size, BLOCK):
        squares += shifted_sums(x, begin, min(BLOCK, start + size - begin), 0.0)[1]
    if beyond_float32(x, squares):
        mean, squares = wide_moments(x, start, size)
        squares += mean * mean * size
    return squares / size


@jit
def wide_moments(x, start, count):
    """Mean and sum of squared deviations of a block, in float64."""
    flat = x.reshape(-1)
    if all_equal(flat, start, count):
        return np.float64(flat[start]), 0.0
    mean = squares = 0.0
    for i in range(start, start + count):
        mean += flat[i]
    mean /= count
    for i in range(start, start + count):
        deviation = flat[i] - mean
        squares += deviation * deviation
    return mean, squares


@jit
def slope_sums(dy, x, start, size, head):
    """Sums of dy and of dy * (x - head) over a run."""
    step = lanes(x)
    all_total, all_product = 0.0, 0.0
    for begin in range(start, start + size, BLOCK):
        stop = min(begin + BLOCK, start + size)
        total, product = full(x, 0.0), full(x, 0.0)
        more, more_product = full(x, 0.0), full(x, 0.0)
        pairs = stop - (stop - begin) % (2 * step)
        for i in range(begin, pairs, 2 * step):
            one, two = load(dy, i), load(dy, i + step)
            total += one
            more += two
            product = fma(one, load(x, i) - head, product)
            more_product = fma(two, load(x, i + step) - head, more_product)
        for i in range(pairs, stop, step):
            count = min(step, stop - i)
            one = load_some(dy, i, count, 0.0)
            total += one
            product = fma(one, load_some(x, i, count, head) - head, product)
        all_total += sum_lanes(total + more)
        all_product += sum_lanes(product + more_product)
    return all_total, all_product


@jit
def write_line(x, start, size, head, scale, offset, past, out_y):
    """y = (x - head) * scale + offset along a run."""
    step = lanes(x)
    stop = start + size
    whole = stop - size % step
    for i in range(start, whole, step):
        put(out_y, i, fma(load(x, i) - head, scale, offset), past)
    if whole < stop:
        rest = stop - whole
        y = fma(load_first(x, whole, rest, head) - head, scale, offset)
        store_first(out_y, whole, rest, y)


@jit
def write_gradient_line(dy, x, start, size, head, scale, slant, level, past, out_dx):
    """dx = dy * scale + (x - head) * slant + level along a run."""
    step = lanes(x)
    stop = start + size
    whole = stop - size % step
    for i in range(start, whole, step):
        line = fma(load(x, i) - head, slant, level)
        put(out_dx, i, fma(load(dy, i), scale, line), past)
    if whole < stop:
        rest = stop - whole
        line = fma(load_first(x, whole, rest, head) - head, slant, level)
        store_first(out_dx, whole, rest, fma(load_first(dy, whole, rest, 0.0), scale, line))


@jit
def gradient_of_statistics(size, total, product, tail, rstd, centred):
    """slant and level of dx = rstd * g + slant * (x - head) + level, g the gradient to xhat.

    total and product are the sums of g and of g * (x - head), tail is mean - head.
    """
    if not centred:
        total = 0.0
    slant = -rstd * rstd * rstd * (product - tail * total) / size
    return slant, -rstd * total / size - slant * tail
