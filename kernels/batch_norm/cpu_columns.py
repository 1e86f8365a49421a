"""Batch normalization of (N, C, 1): a task owns a strip of columns.

work        (strips, parts, WORK_ROWS, width) float64: two sums of each column, its mean and var
work_lanes  (strips, parts, LANE_ROWS, width) of x's dtype: what the inner loops read and add to

Bound: memory speed, as in cpu_planes. Lanes are columns, so nothing is added across lanes; what
is computed for each column is computed on whole values, whatever lies behind the last one. A few
rows run side by side: they share what is read of a column, and their lines fit a cache set where
the rows' pitch is a power of two.
"""

import numpy as np

from kernels._jit import jit, parallel
from kernels._simd import any_lane, is_double, lanes, load, load_as, select, sqrt, store, store_as

from ._columns import add_gradient_rows, add_rows, correct_moments, write_gradient_rows, write_rows
from ._steps import block_moments, forward_line, gradient_line, merge_moments, part_bounds

# Each lane adds up so many samples in x's dtype, then goes on in float64.
_BLOCK, _FIRST_BLOCK = 256, 16

_ROWS_TOGETHER = 4

# Rows of the two kinds of scratch, each as wide as the strip.
WORK_ROWS, LANE_ROWS = 4, 5


def strip_width(channels, lanes):
    """Wide, to read memory in runs; narrower if there were too few strips to share out."""
    wanted = min(max(channels // 4, 4 * lanes), 16 * lanes, channels)
    return -(-wanted // lanes) * lanes


@parallel
def moments(place, x, work):
    """Of parts of strips, where those are few."""
    _moments(place, x, work)


@parallel
def normalize(task, span, x, residual, gamma, beta, eps, add, relu, work, out):
    """Strips, first their moments; or parts of them, whose moments are known."""
    strips, parts, _, _ = work[0].shape
    for place in range(task * span, min(task * span + span, strips * parts)):
        if parts == 1:
            _moments(place, x, work)
        _normalize(place, x, residual, gamma, beta, eps, add, relu, work, out)


@parallel
def apply(task, span, x, residual, mean, var, gamma, beta, eps, add, relu, work, out_y):
    strips, parts, _, _ = work[0].shape
    for place in range(task * span, min(task * span + span, strips * parts)):
        _copy_statistics(place, x, mean, var, work)
        _set_line(place, x, gamma, beta, eps, work)
        _write_line(place, x, residual, add, relu, work, out_y)


@parallel
def gradient_sums(place, dy, x, y, gamma, beta, mean, var, eps, add, relu, work, out):
    """Of parts of strips, where those are few."""
    _gradient_sums(place, dy, x, y, gamma, beta, mean, var, eps, add, relu, work, out)


@parallel
def gradient(task, span, dy, x, y, gamma, beta, mean, var, eps, add, relu, training, work, out):
    """Strips, first their sums; or parts of them, whose sums are known."""
    strips, parts, _, _ = work[0].shape
    for place in range(task * span, min(task * span + span, strips * parts)):
        if parts == 1:
            _gradient_sums(place, dy, x, y, gamma, beta, mean, var, eps, add, relu, work, out)
        _gradient(place, dy, x, gamma, eps, add, relu, training, work, out)


@jit
def _place(place, x, sums):
    """Strip and part of a place, its first column and how many, its first sample and last."""
    _, parts, _, width = sums.shape
    strip, part = place // parts, place % parts
    first, last = part_bounds(part, parts, x.shape[0])
    column = strip * width
    return strip, part, column, min(width, x.shape[1] - column), first, last


@jit
def _moments(place, x, work):
    """Mean and sum of squared deviations of a part of each column.

    Each block is shifted by the mean so far, the first one, which is short, by its first element,
    so that sums of squares stay small.
    """
    sums, lines_of = work
    strip, part, column, columns, first, last = _place(place, x, sums)
    mean, spread = sums[strip, part, 0], sums[strip, part, 1]
    lines = lines_of[strip, part]
    head, total, squares = lines[0], lines[1], lines[2]
    for c in range(columns):
        mean[c] = x[first, column + c, 0]
    for c in range(mean.size):
        spread[c] = 0.0
    end = first
    while end < last:
        begin = end
        end = min(begin + (_BLOCK if begin > first else _FIRST_BLOCK), last)
        for c in range(mean.size):
            head[c] = mean[c]
            total[c] = 0.0
            squares[c] = 0.0
        for row in range(begin, end, _ROWS_TOGETHER):
            stop = min(row + _ROWS_TOGETHER, end)
            add_rows(x, row, stop, column, columns, head, total, squares)
        before, more = float(begin - first), float(end - begin)
        means, spreads = sums[strip, part, 2], sums[strip, part, 3]
        for c in range(0, mean.size, lanes(mean)):
            raw = load_as(squares, c, mean)
            block_mean, block_spread = block_moments(
                more, load_as(head, c, mean), load_as(total, c, mean), raw
            )
            block_spread = select(block_spread < 0.0, 0.0, block_spread)
            if not is_double(x) and any_lane(~((raw >= 1e-30) & (raw < np.inf))):
                store(means, c, block_mean)
                store(spreads, c, block_spread)
                end_c = min(c + lanes(mean), columns)
                correct_moments(x, begin, end, column, c, end_c, total, squares, means, spreads)
                block_mean, block_spread = load(means, c), load(spreads, c)
            merged = merge_moments(
                before, load(mean, c), load(spread, c), more, block_mean, block_spread
            )
            store(mean, c, merged[0])
            store(spread, c, merged[1])


@jit
def _normalize(place, x, residual, gamma, beta, eps, add, relu, work, out):
    """Merge the parts' moments in order, then normalize this part."""
    out_y, out_mean, out_var = out
    sums, _ = work
    strip, part, column, columns, _, _ = _place(place, x, sums)
    mean, var = sums[strip, part, 2], sums[strip, part, 3]
    parts, samples = sums.shape[1], x.shape[0]
    for c in range(mean.size):
        mean[c] = sums[strip, 0, 0, c]
        var[c] = sums[strip, 0, 1, c]
    for p in range(1, parts):
        begin, end = part_bounds(p, parts, samples)
        more_mean, more_spread = sums[strip, p, 0], sums[strip, p, 1]
        for c in range(0, mean.size, lanes(mean)):
            merged = merge_moments(
                float(begin),
                load(mean, c),
                load(var, c),
                float(end - begin),
                load(more_mean, c),
                load(more_spread, c),
            )
            store(mean, c, merged[0])
            store(var, c, merged[1])
    for c in range(mean.size):
        var[c] /= samples
    if part == 0:
        for c in range(columns):
            out_mean[column + c] = mean[c]
            out_var[column + c] = var[c]
    _set_line(place, x, gamma, beta, eps, work)
    _write_line(place, x, residual, add, relu, work, out_y)


@jit
def _copy_statistics(place, x, mean, var, work):
    sums, _ = work
    strip, part, column, columns, _, _ = _place(place, x, sums)
    own_mean, own_var = sums[strip, part, 2], sums[strip, part, 3]
    for c in range(columns):
        own_mean[c] = mean[column + c]
        own_var[c] = var[column + c]


@jit
def _set_line(place, x, gamma, beta, eps, work):
    """head, scale and offset of each column, from its mean and var."""
    sums, lines_of = work
    strip, part, column, columns, _, _ = _place(place, x, sums)
    mean, var = sums[strip, part, 2], sums[strip, part, 3]
    lines = lines_of[strip, part]
    head, scale, offset = lines[0], lines[1], lines[2]
    for c in range(columns):
        scale[c] = gamma[column + c]
        offset[c] = beta[column + c]
    for c in range(0, mean.size, lanes(mean)):
        store_as(head, c, load(mean, c))
        line = forward_line(
            load(mean, c),
            load_as(head, c, mean),
            sqrt(load(var, c) + eps),
            load_as(scale, c, mean),
            load_as(offset, c, mean),
        )
        store_as(scale, c, line[0])
        store_as(offset, c, line[1])


@jit
def _write_line(place, x, residual, add, relu, work, out_y):
    sums, lines_of = work
    strip, part, column, columns, first, last = _place(place, x, sums)
    lines = lines_of[strip, part]
    for begin in range(first, last, _ROWS_TOGETHER):
        end = min(begin + _ROWS_TOGETHER, last)
        write_rows(x, residual, begin, end, column, columns, add, relu, lines, out_y)


@jit
def _gradient_sums(place, dy, x, y, gamma, beta, mean, var, eps, add, relu, work, out):
    """Sums of the slope, dy where ReLU passes it, and of slope * (x - head), of each column."""
    sums, lines_of = work
    strip, part, column, columns, first, last = _place(place, x, sums)
    _copy_statistics(place, x, mean, var, work)
    _set_line(place, x, gamma, beta, eps, work)
    total, product = sums[strip, part, 0], sums[strip, part, 1]
    lines = lines_of[strip, part]
    block_total, block_product = lines[3], lines[4]
    for c in range(total.size):
        total[c] = 0.0
        product[c] = 0.0
    for begin in range(first, last, _BLOCK):
        end = min(begin + _BLOCK, last)
        for c in range(total.size):
            block_total[c] = 0.0
            block_product[c] = 0.0
        for row in range(begin, end, _ROWS_TOGETHER):
            stop = min(row + _ROWS_TOGETHER, end)
            add_gradient_rows(dy, x, y, row, stop, column, columns, add, relu, lines, out[1])
        for c in range(total.size):
            total[c] += block_total[c]
            product[c] += block_product[c]


@jit
def _gradient(place, dy, x, gamma, eps, add, relu, training, work, out):
    """Add up the parts' sums in order, then write this part."""
    out_dx, out_dresidual, out_dgamma, out_dbeta = out
    sums, lines_of = work
    strip, part, column, columns, first, last = _place(place, x, sums)
    mean, var = sums[strip, part, 2], sums[strip, part, 3]
    lines = lines_of[strip, part]
    head, slant, level = lines[0], lines[3], lines[4]
    for c in range(columns):
        slant[c] = gamma[column + c]
    for c in range(0, mean.size, lanes(mean)):
        total, product = load(sums[strip, 0, 0], c), load(sums[strip, 0, 1], c)
        for p in range(1, sums.shape[1]):
            total += load(sums[strip, p, 0], c)
            product += load(sums[strip, p, 1], c)
        line = gradient_line(
            float(x.shape[0]),
            total,
            product,
            load(mean, c),
            load_as(head, c, mean),
            sqrt(load(var, c) + eps),
            load_as(slant, c, mean),
        )
        store(mean, c, line[0])
        store(var, c, total)
        store_as(slant, c, line[1])
        store_as(level, c, line[2])
    if part == 0:
        for c in range(columns):
            out_dgamma[column + c] = mean[c]
            out_dbeta[column + c] = var[c]
    slopes = out_dresidual if add else dy
    for begin in range(first, last, _ROWS_TOGETHER):
        end = min(begin + _ROWS_TOGETHER, last)
        write_gradient_rows(
            slopes, x, begin, end, column, columns, relu and not add, training, lines, out_dx
        )
