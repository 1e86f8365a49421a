"""Batch normalization of (N, C, 1): a task owns a strip of columns.

work        (strips, parts, WORK_ROWS, width) float64: two sums of each column, and the merged ones
work_lanes  (strips, parts, LANE_ROWS, width) of x's dtype: what the inner loops read and add to

Bound: memory speed, as in cpu_planes. Lanes are columns, so nothing is added across lanes. A few
rows run side by side: they share what is read of a column, and their lines fit a cache set where
the rows' pitch is a power of two.
"""

import numpy as np

from .._jit import jit, parallel, prange
from .._simd import fma, lanes, load, select, store
from ._steps import (
    block_moments,
    forward_line,
    gradient_line,
    load_slope,
    load_some,
    merge_moments,
    part_bounds,
    store_some,
)

# Each lane adds up so many samples in x's dtype, then goes on in float64.
_BLOCK, _FIRST_BLOCK = 256, 16

_ROWS_TOGETHER = 4

# Rows of the two kinds of scratch, each as wide as the strip.
WORK_ROWS, LANE_ROWS = 4, 4


def strip_width(channels, lanes):
    """Wide, to read memory in runs; narrower if there were too few strips to share out."""
    wanted = min(max(channels // 8, 4 * lanes), 16 * lanes, channels)
    return -(-wanted // lanes) * lanes


@jit
def forward_serial(sums, write, x, residual, gamma, beta, eps, add, relu, work, work_lanes, out):
    for task in range(work.shape[0] * work.shape[1]):
        if sums:
            _moments(task, x, work, work_lanes)
        if write:
            _normalize(task, x, residual, gamma, beta, eps, add, relu, work, work_lanes, out)


@parallel
def forward_parallel(sums, write, x, residual, gamma, beta, eps, add, relu, work, work_lanes, out):
    """Parallel over strips, and parts of the samples where those are few."""
    for index in prange(work.shape[0] * work.shape[1]):
        task = np.int64(index)
        if sums:
            _moments(task, x, work, work_lanes)
        if write:
            _normalize(task, x, residual, gamma, beta, eps, add, relu, work, work_lanes, out)


@jit
def inference_serial(x, residual, mean, var, gamma, beta, eps, add, relu, work, work_lanes, out_y):
    for task in range(work.shape[0] * work.shape[1]):
        _apply(task, x, residual, mean, var, gamma, beta, eps, add, relu, work, work_lanes, out_y)


@parallel
def inference_parallel(
    x, residual, mean, var, gamma, beta, eps, add, relu, work, work_lanes, out_y
):
    """Parallel over strips, and parts of the samples where those are few."""
    for index in prange(work.shape[0] * work.shape[1]):
        task = np.int64(index)
        _apply(task, x, residual, mean, var, gamma, beta, eps, add, relu, work, work_lanes, out_y)


@jit
def backward_serial(
    sums, write, dy, x, y, gamma, mean, var, eps, add, relu, training, work, work_lanes, out
):
    for task in range(work.shape[0] * work.shape[1]):
        if sums:
            _gradient_sums(task, dy, x, y, mean, add, relu, work, work_lanes, out[1])
        if write:
            _gradient(
                task, dy, x, y, gamma, mean, var, eps, add, relu, training, work, work_lanes, out
            )


@parallel
def backward_parallel(
    sums, write, dy, x, y, gamma, mean, var, eps, add, relu, training, work, work_lanes, out
):
    """Parallel over strips, and parts of the samples where those are few."""
    for index in prange(work.shape[0] * work.shape[1]):
        task = np.int64(index)
        if sums:
            _gradient_sums(task, dy, x, y, mean, add, relu, work, work_lanes, out[1])
        if write:
            _gradient(
                task, dy, x, y, gamma, mean, var, eps, add, relu, training, work, work_lanes, out
            )


@jit
def _place(task, x, work):
    """Strip and part of a task, its first column and how many, its first sample and last."""
    _, parts, _, width = work.shape
    strip, part = task // parts, task % parts
    first, last = part_bounds(part, parts, x.shape[0])
    column = strip * width
    return strip, part, column, min(width, x.shape[1] - column), first, last


@jit
def _moments(task, x, work, work_lanes):
    """Mean and sum of squared deviations of a part of each column.

    Each block is shifted by the mean so far, the first one, which is short, by its first element,
    so that sums of squares stay small.
    """
    strip, part, column, columns, first, last = _place(task, x, work)
    mean, spread = work[strip, part, 0], work[strip, part, 1]
    lines = work_lanes[strip, part]
    head, total, squares = lines[0], lines[1], lines[2]
    for c in range(columns):
        mean[c] = x[first, column + c, 0]
        spread[c] = 0.0
    end = first
    while end < last:
        begin = end
        end = min(begin + (_BLOCK if begin > first else _FIRST_BLOCK), last)
        for c in range(columns):
            head[c] = mean[c]
            total[c] = 0.0
            squares[c] = 0.0
        for row in range(begin, end, _ROWS_TOGETHER):
            stop = min(row + _ROWS_TOGETHER, end)
            _add_rows(x, row, stop, column, columns, head, total, squares)
        before, more = begin - first, end - begin
        for c in range(columns):
            block = block_moments(more, head[c], total[c], squares[c])
            mean[c], spread[c] = merge_moments(before, mean[c], spread[c], more, block[0], block[1])


@jit
def _add_rows(x, first, last, column, columns, head, total, squares):
    """Add x - head and its square."""
    channels, step = x.shape[1], lanes(x)
    for c in range(0, columns, step):
        count = min(step, columns - c)
        centre, sums, square_sums = load(head, c), load(total, c), load(squares, c)
        for sample in range(first, last):
            deviation = load_some(x, sample * channels + column + c, count, 0.0) - centre
            sums += deviation
            square_sums = fma(deviation, deviation, square_sums)
        store(total, c, sums)
        store(squares, c, square_sums)


@jit
def _normalize(task, x, residual, gamma, beta, eps, add, relu, work, work_lanes, out):
    """Merge the parts' moments in order, then normalize this part."""
    out_y, out_mean, out_var = out
    strip, part, column, columns, _, _ = _place(task, x, work)
    mean, spread = work[strip, part, 2], work[strip, part, 3]
    for c in range(columns):
        mean[c] = 0.0
        spread[c] = 0.0
    for p in range(work.shape[1]):
        begin, end = part_bounds(p, work.shape[1], x.shape[0])
        more_mean, more_spread = work[strip, p, 0], work[strip, p, 1]
        for c in range(columns):
            mean[c], spread[c] = merge_moments(
                begin, mean[c], spread[c], end - begin, more_mean[c], more_spread[c]
            )
    for c in range(columns):
        spread[c] /= x.shape[0]
        if part == 0:
            out_mean[column + c] = mean[c]
            out_var[column + c] = spread[c]
    _apply_line(
        task, x, residual, mean, spread, gamma, beta, eps, add, relu, work, work_lanes, out_y
    )


@jit
def _apply(task, x, residual, mean, var, gamma, beta, eps, add, relu, work, work_lanes, out_y):
    column = _place(task, x, work)[2]
    mean, var = mean[column:], var[column:]
    _apply_line(task, x, residual, mean, var, gamma, beta, eps, add, relu, work, work_lanes, out_y)


@jit
def _apply_line(task, x, residual, mean, var, gamma, beta, eps, add, relu, work, work_lanes, out_y):
    """mean and var begin at the strip's first column."""
    strip, part, column, columns, first, last = _place(task, x, work)
    lines = work_lanes[strip, part]
    head, scale, offset = lines[0], lines[1], lines[2]
    for c in range(columns):
        head[c] = mean[c]
        scale[c], offset[c] = forward_line(
            mean[c], head[c], var[c], gamma[column + c], beta[column + c], eps
        )
    channels, step = x.shape[1], lanes(x)
    floor = 0.0 if relu else -np.inf
    for begin in range(first, last, _ROWS_TOGETHER):
        end = min(begin + _ROWS_TOGETHER, last)
        for c in range(0, columns, step):
            count = min(step, columns - c)
            centre, slope, level = load(head, c), load(scale, c), load(offset, c)
            for sample in range(begin, end):
                i = sample * channels + column + c
                y = fma(load_some(x, i, count, 0.0) - centre, slope, level)
                if add:
                    y += load_some(residual, i, count, 0.0)
                store_some(out_y, i, count, select(y < floor, floor, y))


@jit
def _gradient_sums(task, dy, x, y, mean, add, relu, work, work_lanes, out_dresidual):
    """Sums of dy and of dy * (x - head) over a part of each column."""
    strip, part, column, columns, first, last = _place(task, x, work)
    total, product = work[strip, part, 0], work[strip, part, 1]
    lines = work_lanes[strip, part]
    head, block_total, block_product = lines[0], lines[1], lines[2]
    for c in range(columns):
        head[c] = mean[column + c]
        total[c] = 0.0
        product[c] = 0.0
    for begin in range(first, last, _BLOCK):
        end = min(begin + _BLOCK, last)
        for c in range(columns):
            block_total[c] = 0.0
            block_product[c] = 0.0
        for row in range(begin, end, _ROWS_TOGETHER):
            stop = min(row + _ROWS_TOGETHER, end)
            _add_gradient_rows(
                dy, x, y, row, stop, column, columns, add, relu, lines, out_dresidual
            )
        for c in range(columns):
            total[c] += block_total[c]
            product[c] += block_product[c]


@jit
def _add_gradient_rows(dy, x, y, first, last, column, columns, add, relu, lines, out_dresidual):
    """Add dy and dy * (x - head)."""
    head, total, product = lines[0], lines[1], lines[2]
    channels, step = x.shape[1], lanes(x)
    for c in range(0, columns, step):
        count = min(step, columns - c)
        centre, sums, product_sums = load(head, c), load(total, c), load(product, c)
        for sample in range(first, last):
            i = sample * channels + column + c
            slope = load_slope(dy, y, i, count, relu)
            if add:
                store_some(out_dresidual, i, count, slope)
            sums += slope
            product_sums = fma(slope, load_some(x, i, count, 0.0) - centre, product_sums)
        store(total, c, sums)
        store(product, c, product_sums)


@jit
def _gradient(task, dy, x, y, gamma, mean, var, eps, add, relu, training, work, work_lanes, out):
    """Add up the parts' sums in order, then write this part."""
    out_dx, out_dresidual, out_dgamma, out_dbeta = out
    strip, part, column, columns, first, last = _place(task, x, work)
    samples, channels, _ = x.shape
    lines = work_lanes[strip, part]
    head, scale, slant, level = lines[0], lines[1], lines[2], lines[3]
    for c in range(columns):
        channel = column + c
        total, product = 0.0, 0.0
        for p in range(work.shape[1]):
            total += work[strip, p, 0, c]
            product += work[strip, p, 1, c]
        head[c] = mean[channel]
        dgamma, scale[c], slant[c], level[c] = gradient_line(
            samples, total, product, mean[channel], head[c], var[channel], gamma[channel], eps
        )
        if part == 0:
            out_dgamma[channel] = dgamma
            out_dbeta[channel] = total
    step = lanes(x)
    slopes = out_dresidual if add else dy
    masked = relu and not add
    for begin in range(first, last, _ROWS_TOGETHER):
        end = min(begin + _ROWS_TOGETHER, last)
        for c in range(0, columns, step):
            count = min(step, columns - c)
            centre_c, scale_c = load(head, c), load(scale, c)
            slant_c, level_c = load(slant, c), load(level, c)
            for sample in range(begin, end):
                i = sample * channels + column + c
                dx = load_slope(slopes, y, i, count, masked) * scale_c
                if training:
                    dx += fma(load_some(x, i, count, 0.0) - centre_c, slant_c, level_c)
                store_some(out_dx, i, count, dx)
