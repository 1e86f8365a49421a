"""Forward: x (N, G, D, S); a row is the D * S elements of a group, which lie side by side.

Bound: x in and y out at 7 operations an element: memory speed. The second pass over a row finds it
in the cache. Parallel over rows. What is called for every row of a few hundred elements has its
loop over rows inside, for a call costs as much as ten values.
"""

import numpy as np

from kernels._jit import jit, parallel
from kernels._moments import wide_moments
from kernels._range import beyond_float32
from kernels._simd import fma, full, lanes, load, load_first, store_first, sum_lanes
from kernels._streaming import past_caches, put
from kernels.group_norm.element_runs import BLOCK, FEW, mean_square, moments, shares, write_line

# Statistics of so many elements first, then their output: one row's last sums and roots go on
# while the next row is read.
_AHEAD = 4096


def forward(x, gamma, beta, eps, centred, out_y, out_mean, out_rstd):
    samples, groups, channels, positions = x.shape
    tasks, span = shares(samples * groups, channels * positions)
    _normalize(tasks, span, x, gamma, beta, eps, centred, out_y, out_mean, out_rstd)


@parallel
def _normalize(task, span, x, gamma, beta, eps, centred, out_y, out_mean, out_rstd):
    samples, groups, channels, positions = x.shape
    first, last = task * span, min(task * span + span, samples * groups)
    size = channels * positions
    together = max(1, _AHEAD // size)
    past = past_caches(2, size if positions == 1 else positions, out_y)
    for begin in range(first, last, together):
        end = min(begin + together, last)
        if centred and size <= BLOCK:
            _short_rows(begin, end, x, size, eps, out_mean, out_rstd)
        else:
            _long_rows(begin, end, x, size, eps, centred, out_mean, out_rstd)
        if positions == 1:
            _write_rows(begin, end, x, gamma, beta, out_mean, out_rstd, past, out_y)
        else:
            _write_planes(begin, end, x, gamma, beta, out_mean, out_rstd, past, out_y)


@jit
def _long_rows(first, last, x, size, eps, centred, out_mean, out_rstd):
    for row in range(first, last):
        if centred:
            mean, var = moments(x, row * size, size)
        else:
            mean, var = 0.0, mean_square(x, row * size, size)
        out_mean[row] = mean
        out_rstd[row] = 1.0 / np.sqrt(var + eps)


@jit
def _short_rows(first, last, x, size, eps, out_mean, out_rstd):
    """`moments` of rows of one block, without a call in a row."""
    width = lanes(x)
    few = min(FEW, size)
    few_whole, pairs = few - few % width, size - size % (2 * width)
    for row in range(first, last):
        start = row * size
        total, more = full(x, 0.0), full(x, 0.0)
        for i in range(start, start + few_whole, width):
            total += load(x, i)
        if few_whole < few:
            total += load_first(x, start + few_whole, few - few_whole, 0.0)
        shift = x.dtype.type(sum_lanes(total) / few)
        total = full(x, 0.0)
        squares, more_squares = full(x, 0.0), full(x, 0.0)
        for i in range(start, start + pairs, 2 * width):
            one, two = load(x, i) - shift, load(x, i + width) - shift
            total += one
            more += two
            squares = fma(one, one, squares)
            more_squares = fma(two, two, more_squares)
        for i in range(start + pairs, start + size, width):
            one = load_first(x, i, min(width, start + size - i), shift) - shift
            total += one
            squares = fma(one, one, squares)
        deviations = sum_lanes(total + more)
        offset = deviations / size
        out_mean[row] = shift + offset
        out_rstd[row] = sum_lanes(squares + more_squares) - deviations * offset
    for row in range(first, last):
        spread = out_rstd[row]
        if beyond_float32(x, spread):
            out_mean[row], spread = wide_moments(x, row * size, 1, size, size)
        # Rounding may bring equal elements below zero; written so that NaN stays.
        spread = 0.0 if spread < 0.0 else spread
        out_rstd[row] = 1.0 / np.sqrt(spread / size + eps)


@jit
def _write_rows(first, last, x, gamma, beta, mean, rstd, past, out_y):
    """A gamma and beta for each element of a row."""
    _, groups, size, _ = x.shape
    width = lanes(x)
    whole = size - size % width
    for row in range(first, last):
        start, channel = row * size, row % groups * size
        # What head, mean in x's dtype, cuts off, the offset takes.
        head, scale = x.dtype.type(mean[row]), rstd[row]
        offset = (head - mean[row]) * scale
        for i in range(0, whole, width):
            xhat = fma(load(x, start + i) - head, scale, offset)
            y = fma(xhat, load(gamma, channel + i), load(beta, channel + i))
            put(out_y, start + i, y, past)
        if whole < size:
            i, c, rest = start + whole, channel + whole, size - whole
            xhat = fma(load_first(x, i, rest, head) - head, scale, offset)
            y = fma(xhat, load_first(gamma, c, rest, 0.0), load_first(beta, c, rest, 0.0))
            store_first(out_y, i, rest, y)


@jit
def _write_planes(first, last, x, gamma, beta, mean, rstd, past, out_y):
    """A gamma and beta for each plane of S elements."""
    _, groups, channels, positions = x.shape
    for row in range(first, last):
        head = x.dtype.type(mean[row])
        for c in range(channels):
            channel, start = row % groups * channels + c, (row * channels + c) * positions
            scale = gamma[channel] * rstd[row]
            offset = beta[channel] + (head - mean[row]) * scale
            write_line(x, start, positions, head, scale, offset, past, out_y)
