"""Backward where S = 1: a gamma for each element of a row; see cpu_backward."""

from .._jit import jit, parallel
from .._simd import fma, full, lanes, load, load_first, store, store_first, sum_lanes
from ._steps import BLOCK, gradient_of_statistics, load_some, past_caches, put

# Sums of so many elements first, then their output, as in cpu_forward; at most ROWS rows.
_AHEAD = 2048
ROWS = 32

# Each lane adds up so many samples in x's dtype, then goes on in float64.
_SAMPLES = 64


@parallel
def rows_of_part(part, dy, x, gamma, mean, rstd, centred, work, work_lanes, work_rows, out_dx):
    """dx of a run of samples, and their sums for dgamma and dbeta."""
    samples, groups, size, _ = x.shape
    parts, _, channels = work.shape
    past = past_caches(3, size, out_dx)
    together = min(ROWS, max(1, _AHEAD // size))
    sums, lines, kept = work[part], work_lanes[part], work_rows[part]
    for channel in range(channels):
        sums[0, channel] = 0.0
        sums[1, channel] = 0.0
    first, last = samples * part // parts, samples * (part + 1) // parts
    for block in range(first, last, _SAMPLES):
        for channel in range(channels):
            lines[0, channel] = 0.0
            lines[1, channel] = 0.0
        rows_end = min(block + _SAMPLES, last) * groups
        for row in range(block * groups, rows_end, together):
            stop = min(row + together, rows_end)
            _sum_rows(row, stop, dy, x, gamma, mean, rstd, centred, kept)
            _write_rows(row, stop, dy, x, gamma, mean, rstd, kept, past, lines, out_dx)
        for channel in range(channels):
            sums[0, channel] += lines[0, channel]
            sums[1, channel] += lines[1, channel]


@jit
def _sum_rows(first, last, dy, x, gamma, mean, rstd, centred, kept):
    """Keep slant and level of each row's gradient."""
    _, groups, size, _ = x.shape
    step = lanes(x)
    for row in range(first, last):
        start, channel = row * size, row % groups * size
        head = x.dtype.type(mean[row])
        total, product = 0.0, 0.0
        for begin in range(0, size, BLOCK):
            stop = min(begin + BLOCK, size)
            slopes, products = full(x, 0.0), full(x, 0.0)
            more, more_products = full(x, 0.0), full(x, 0.0)
            pairs = stop - (stop - begin) % (2 * step)
            for i in range(begin, pairs, 2 * step):
                one = load(dy, start + i) * load(gamma, channel + i)
                two = load(dy, start + i + step) * load(gamma, channel + i + step)
                slopes += one
                more += two
                products = fma(one, load(x, start + i) - head, products)
                more_products = fma(two, load(x, start + i + step) - head, more_products)
            for i in range(pairs, stop, step):
                count = min(step, stop - i)
                one = load_some(dy, start + i, count, 0.0)
                one *= load_some(gamma, channel + i, count, 0.0)
                slopes += one
                products = fma(one, load_some(x, start + i, count, head) - head, products)
            total += sum_lanes(slopes + more)
            product += sum_lanes(products + more_products)
        tail = mean[row] - head
        slant, level = gradient_of_statistics(size, total, product, tail, rstd[row], centred)
        kept[row - first, 0] = slant
        kept[row - first, 1] = level


@jit
def _write_rows(first, last, dy, x, gamma, mean, rstd, kept, past, lines, out_dx):
    """dx of the rows; adds dy * xhat and dy to the lines of the channels."""
    _, groups, size, _ = x.shape
    dgamma, dbeta = lines[0], lines[1]
    step = lanes(x)
    whole = size - size % step
    for row in range(first, last):
        start, channel = row * size, row % groups * size
        head, scale = x.dtype.type(mean[row]), rstd[row]
        offset = (head - mean[row]) * scale
        slant, level = kept[row - first, 0], kept[row - first, 1]
        for k in range(0, whole, step):
            i, c = start + k, channel + k
            deviation, slope = load(x, i) - head, load(dy, i)
            dx = fma(slope * load(gamma, c), scale, fma(deviation, slant, level))
            put(out_dx, i, dx, past)
            store(dbeta, c, load(dbeta, c) + slope)
            store(dgamma, c, fma(slope, fma(deviation, scale, offset), load(dgamma, c)))
        if whole < size:
            i, c, rest = start + whole, channel + whole, size - whole
            deviation = load_first(x, i, rest, head) - head
            slope = load_first(dy, i, rest, 0.0)
            weighted = slope * load_first(gamma, c, rest, 0.0)
            store_first(out_dx, i, rest, fma(weighted, scale, fma(deviation, slant, level)))
            store_first(dbeta, c, rest, load_first(dbeta, c, rest, 0.0) + slope)
            product = load_first(dgamma, c, rest, 0.0)
            product = fma(slope, fma(deviation, scale, offset), product)
            store_first(dgamma, c, rest, product)
