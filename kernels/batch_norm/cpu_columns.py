"""Batch normalization of (N, C, 1): a group is a strip of columns.

work_sums   (strips, parts, SUMS, width) float64, work_lanes (strips, parts, LINES, width) of x's
dtype: see strip_lines

Bound: memory speed, as in cpu_planes. Lanes are columns, so nothing is added across lanes; what
is computed for each column is computed on whole values, whatever lies behind the last one. A few
rows run side by side: they share what is read of a column, and their lines fit a cache set where
the rows' pitch is a power of two.
"""

import numpy as np

from kernels._jit import jit, parallel
from kernels._moments import block_moments, merge_moments
from kernels._simd import any_lane, is_double, lanes, load, load_as, select, store
from kernels.batch_norm.parts import part_bounds
from kernels.batch_norm.strip_columns import (
    add_deviations,
    add_slopes,
    correct_moments,
    write_gradients,
    write_lines,
)
from kernels.batch_norm.strip_lines import (
    bounds,
    copy_statistics,
    own_rows,
    set_gradient_lines,
    set_lines,
)

# Each lane adds up so many samples in x's dtype, then goes on in float64.
_BLOCK, _FIRST_BLOCK = 256, 16

_ROWS_TOGETHER = 4


def strip_width(channels, lanes):
    """Wide, to read memory in runs; narrower if there were too few strips to share out."""
    wanted = min(max(channels // 4, 4 * lanes), 16 * lanes, channels)
    return -(-wanted // lanes) * lanes


@parallel
def moments(place, x, work):
    """Of parts of strips."""
    _moments(place, x, work)


@parallel
def normalize(task, span, x, residual, gamma, beta, eps, relu, work, out):
    """Whole strips, first their moments; or parts, whose moments are known."""
    strips, parts, _, _ = work[0].shape
    for place in range(task * span, min(task * span + span, strips * parts)):
        if parts == 1:
            _moments(place, x, work)
        _normalize(place, x, residual, gamma, beta, eps, relu, work, out)


@parallel
def apply(task, span, x, residual, mean, var, gamma, beta, eps, relu, work, out_y):
    """With given statistics."""
    strips, parts, _, _ = work[0].shape
    for place in range(task * span, min(task * span + span, strips * parts)):
        copy_statistics(place, x, mean, var, work)
        set_lines(place, x, gamma, beta, eps, work)
        _write_lines(place, x, residual, relu, work, out_y)


@parallel
def slope_sums(place, dy, x, y, gamma, beta, mean, var, eps, relu, work, out):
    """Of parts of strips, whose lines are set first."""
    copy_statistics(place, x, mean, var, work)
    set_lines(place, x, gamma, beta, eps, work)
    _slope_sums(place, dy, x, y, relu, work, out)


@parallel
def gradient(task, span, dy, x, y, gamma, beta, mean, var, eps, relu, training, work, out):
    """Whole strips, first their sums if wanted; or parts, whose sums are known."""
    strips, parts, _, _ = work[0].shape
    summed = training or y.size > 0 or out[2].size > 0
    for place in range(task * span, min(task * span + span, strips * parts)):
        if parts == 1 or not summed:
            copy_statistics(place, x, mean, var, work)
            set_lines(place, x, gamma, beta, eps, work)
        if parts == 1 and summed:
            _slope_sums(place, dy, x, y, relu, work, out)
        _gradient(place, dy, x, y, gamma, eps, relu, training, work, out)


@jit
def _moments(place, x, work):
    """Mean and spread of a part of each column.

    Each block is shifted by the mean so far, the first one, which is short, by its first element,
    so that sums of squares stay small.
    """
    column, columns, first, last = bounds(place, x, work)
    sums, lines = own_rows(place, work)
    mean, spread, means, spreads = sums[0], sums[1], sums[2], sums[3]
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
            add_deviations(x, row, stop, column, columns, head, total, squares)
        count, more = float(begin - first), float(end - begin)
        for c in range(0, mean.size, lanes(mean)):
            raw = load_as(squares, c, mean)
            more_mean, more_spread = block_moments(
                more, load_as(head, c, mean), load_as(total, c, mean), raw
            )
            more_spread = select(more_spread < 0.0, 0.0, more_spread)
            if not is_double(x) and any_lane(~((raw >= 1e-30) & (raw < np.inf))):
                store(means, c, more_mean)
                store(spreads, c, more_spread)
                end_c = min(c + lanes(mean), columns)
                correct_moments(x, begin, end, column, c, end_c, total, squares, means, spreads)
                more_mean, more_spread = load(means, c), load(spreads, c)
            merged = merge_moments(
                count, load(mean, c), load(spread, c), more, more_mean, more_spread
            )
            store(mean, c, merged[0])
            store(spread, c, merged[1])


@jit
def _normalize(place, x, residual, gamma, beta, eps, relu, work, out):
    """Merge the parts' moments in order, then normalize this part."""
    out_y, out_mean, out_var = out
    column, columns, _, _ = bounds(place, x, work)
    sums, _ = own_rows(place, work)
    mean, var = sums[2], sums[3]
    parts, samples = work[0].shape[1], x.shape[0]
    of_parts = work[0][place // parts]
    for c in range(mean.size):
        mean[c] = of_parts[0, 0, c]
        var[c] = of_parts[0, 1, c]
    for p in range(1, parts):
        begin, end = part_bounds(p, parts, samples)
        more_mean, more_spread = of_parts[p, 0], of_parts[p, 1]
        for c in range(0, mean.size, lanes(mean)):
            merged = merge_moments(
                float(begin), load(mean, c), load(var, c), float(end - begin), load(more_mean, c),
                load(more_spread, c),
            )  # fmt: skip
            store(mean, c, merged[0])
            store(var, c, merged[1])
    for c in range(mean.size):
        var[c] /= samples
    if place % parts == 0:
        for c in range(columns):
            out_mean[column + c] = mean[c]
            out_var[column + c] = var[c]
    set_lines(place, x, gamma, beta, eps, work)
    _write_lines(place, x, residual, relu, work, out_y)


@jit
def _write_lines(place, x, residual, relu, work, out_y):
    column, columns, first, last = bounds(place, x, work)
    _, lines = own_rows(place, work)
    for begin in range(first, last, _ROWS_TOGETHER):
        end = min(begin + _ROWS_TOGETHER, last)
        write_lines(x, residual, begin, end, column, columns, relu, lines, out_y)


@jit
def _slope_sums(place, dy, x, y, relu, work, out):
    """Sums of the slope, dy where the ReLU passes it, and of slope * (x - head), of each column."""
    column, columns, first, last = bounds(place, x, work)
    sums, lines = own_rows(place, work)
    total, product = sums[0], sums[1]
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
            add_slopes(dy, x, y, row, stop, column, columns, relu, lines, out[1])
        for c in range(total.size):
            total[c] += block_total[c]
            product[c] += block_product[c]


@jit
def _gradient(place, dy, x, y, gamma, eps, relu, training, work, out):
    """Write this part of dx; the first one writes dgamma and dbeta."""
    out_dx, out_dresidual, out_dgamma, out_dbeta = out
    column, columns, first, last = bounds(place, x, work)
    _, lines = own_rows(place, work)
    if training or out_dgamma.size:
        set_gradient_lines(place, x, gamma, eps, work, out_dgamma, out_dbeta)
    if out_dx.size == 0:
        return
    added = y.size > 0
    slopes, masked = out_dresidual if added else dy, relu and not added
    for begin in range(first, last, _ROWS_TOGETHER):
        end = min(begin + _ROWS_TOGETHER, last)
        write_gradients(slopes, x, begin, end, column, columns, masked, training, lines, out_dx)
