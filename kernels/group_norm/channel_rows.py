"""Backward where S = 1: rows that have each channel of a group once; see cpu_backward."""

from kernels._jit import jit, parallel
from kernels._simd import (
    fma,
    full,
    lanes,
    load,
    load_first,
    load_some,
    store,
    store_first,
    store_some,
    sum_lanes,
)
from kernels._streaming import past_caches, put
from kernels.group_norm.element_runs import BLOCK, gradient_of_statistics

# Sums of so many elements first, then their output, as in cpu_forward; at most ROWS rows.
_AHEAD = 2048
ROWS = 32

# Each lane adds up so many samples in x's dtype, then goes on in float64.
_SAMPLES = 64


@parallel
def rows_of_part(
    part, dy, x, gamma, mean, rstd, centred, work_sums, work_lanes, work_lines, out_dx
):
    """dx of a run of samples, unless it is empty, and their sums for dgamma and dbeta."""
    samples, groups, size, _ = x.shape
    parts, _, channels = work_sums.shape
    past = past_caches(3, size, out_dx)
    together = min(ROWS, max(1, _AHEAD // size))
    sums, few, lines = work_sums[part], work_lanes[part], work_lines[part]
    for channel in range(channels):
        sums[0, channel] = 0.0
        sums[1, channel] = 0.0
    first, last = samples * part // parts, samples * (part + 1) // parts
    for block in range(first, last, _SAMPLES):
        for channel in range(channels):
            few[0, channel] = 0.0
            few[1, channel] = 0.0
        rows_end = min(block + _SAMPLES, last) * groups
        for row in range(block * groups, rows_end, together):
            stop = min(row + together, rows_end)
            if out_dx.size:
                _set_lines(row, stop, dy, x, gamma, mean, rstd, centred, lines)
                _write_rows(row, stop, dy, x, gamma, mean, rstd, lines, past, few, out_dx)
            else:
                _add_rows(row, stop, dy, x, mean, rstd, few)
        for channel in range(channels):
            sums[0, channel] += few[0, channel]
            sums[1, channel] += few[1, channel]


@jit
def _set_lines(first, last, dy, x, gamma, mean, rstd, centred, lines):
    """x_scale and dx_offset of each row's gradient."""
    _, groups, size, _ = x.shape
    width = lanes(x)
    for row in range(first, last):
        start, channel = row * size, row % groups * size
        head = x.dtype.type(mean[row])
        total, product = 0.0, 0.0
        for begin in range(0, size, BLOCK):
            stop = min(begin + BLOCK, size)
            slopes, products = full(x, 0.0), full(x, 0.0)
            more, more_products = full(x, 0.0), full(x, 0.0)
            pairs = stop - (stop - begin) % (2 * width)
            for i in range(begin, pairs, 2 * width):
                one = load(dy, start + i) * load(gamma, channel + i)
                two = load(dy, start + i + width) * load(gamma, channel + i + width)
                slopes += one
                more += two
                products = fma(one, load(x, start + i) - head, products)
                more_products = fma(two, load(x, start + i + width) - head, more_products)
            for i in range(pairs, stop, width):
                count = min(width, stop - i)
                one = load_some(dy, start + i, count, 0.0)
                one *= load_some(gamma, channel + i, count, 0.0)
                slopes += one
                products = fma(one, load_some(x, start + i, count, head) - head, products)
            total += sum_lanes(slopes + more)
            product += sum_lanes(products + more_products)
        tail = mean[row] - head
        x_scale, dx_offset = gradient_of_statistics(size, total, product, tail, rstd[row], centred)
        lines[row - first, 0] = x_scale
        lines[row - first, 1] = dx_offset


@jit
def _write_rows(first, last, dy, x, gamma, mean, rstd, lines, past, sums, out_dx):
    """dx of the rows; adds dy * xhat and dy to the sums of the channels."""
    _, groups, size, _ = x.shape
    dgamma, dbeta = sums[0], sums[1]
    width = lanes(x)
    whole = size - size % width
    for row in range(first, last):
        start, channel = row * size, row % groups * size
        head, scale = x.dtype.type(mean[row]), rstd[row]
        offset = (head - mean[row]) * scale
        x_scale, dx_offset = lines[row - first, 0], lines[row - first, 1]
        for k in range(0, whole, width):
            i, c = start + k, channel + k
            deviation, slope = load(x, i) - head, load(dy, i)
            dx = fma(slope * load(gamma, c), scale, fma(deviation, x_scale, dx_offset))
            put(out_dx, i, dx, past)
            store(dbeta, c, load(dbeta, c) + slope)
            store(dgamma, c, fma(slope, fma(deviation, scale, offset), load(dgamma, c)))
        if whole < size:
            i, c, rest = start + whole, channel + whole, size - whole
            deviation = load_first(x, i, rest, head) - head
            slope = load_first(dy, i, rest, 0.0)
            weighted = slope * load_first(gamma, c, rest, 0.0)
            store_first(out_dx, i, rest, fma(weighted, scale, fma(deviation, x_scale, dx_offset)))
            store_first(dbeta, c, rest, load_first(dbeta, c, rest, 0.0) + slope)
            product = load_first(dgamma, c, rest, 0.0)
            product = fma(slope, fma(deviation, scale, offset), product)
            store_first(dgamma, c, rest, product)


@jit
def _add_rows(first, last, dy, x, mean, rstd, sums):
    """The same sums, where dx is not wanted."""
    _, groups, size, _ = x.shape
    dgamma, dbeta = sums[0], sums[1]
    width = lanes(x)
    for row in range(first, last):
        start, channel = row * size, row % groups * size
        head, scale = x.dtype.type(mean[row]), rstd[row]
        offset = (head - mean[row]) * scale
        for k in range(0, size, width):
            c, rest = channel + k, size - k
            slope = load_some(dy, start + k, rest, 0.0)
            xhat = fma(load_some(x, start + k, rest, head) - head, scale, offset)
            store_some(dbeta, c, rest, load_some(dbeta, c, rest, 0.0) + slope)
            store_some(dgamma, c, rest, fma(slope, xhat, load_some(dgamma, c, rest, 0.0)))
