"""Batch normalization of (N, C, S): a task owns a channel, whose planes are contiguous.

x, y, dy, out_y, out_dx                     (N, C, S) float32 | float64, C-contiguous
gamma, beta, out_dgamma, out_dbeta          (C,) of the same dtype
mean, var, out_mean, out_var                (C,) float64
work                                        (C, parts, 2) float64: two sums of each part

Bound: forward x in and y out at 7 operations an element, backward x, dy (and y for the mask of
ReLU) in and dx out at 8: memory speed. The second pass over a channel finds it in the cache while
N * S elements fit there.
"""

import numpy as np

from .._jit import jit, parallel, prange
from .._simd import fma, full, lanes, select, sum_lanes
from ._steps import (
    BLOCK,
    block_moments,
    forward_line,
    gradient_line,
    load_slope,
    load_some,
    merge_moments,
    part_bounds,
    store_some,
)

_FEW = 64


@jit
def forward_serial(sums, write, x, residual, gamma, beta, eps, add, relu, work, work_lanes, out):
    for task in range(work.shape[0] * work.shape[1]):
        if sums:
            _moments(task, x, work)
        if write:
            _normalize(task, x, residual, gamma, beta, eps, add, relu, work, out)


@parallel
def forward_parallel(sums, write, x, residual, gamma, beta, eps, add, relu, work, work_lanes, out):
    """Parallel over channels, and parts of the samples where those are few."""
    for index in prange(work.shape[0] * work.shape[1]):
        task = np.int64(index)
        if sums:
            _moments(task, x, work)
        if write:
            _normalize(task, x, residual, gamma, beta, eps, add, relu, work, out)


@jit
def inference_serial(x, residual, mean, var, gamma, beta, eps, add, relu, work, work_lanes, out_y):
    for task in range(work.shape[0] * work.shape[1]):
        _apply(task, x, residual, mean, var, gamma, beta, eps, add, relu, work, out_y)


@parallel
def inference_parallel(
    x, residual, mean, var, gamma, beta, eps, add, relu, work, work_lanes, out_y
):
    """Parallel over channels, and parts of the samples where those are few."""
    for index in prange(work.shape[0] * work.shape[1]):
        task = np.int64(index)
        _apply(task, x, residual, mean, var, gamma, beta, eps, add, relu, work, out_y)


@jit
def backward_serial(
    sums, write, dy, x, y, gamma, mean, var, eps, add, relu, training, work, work_lanes, out
):
    for task in range(work.shape[0] * work.shape[1]):
        if sums:
            _gradient_sums(task, dy, x, y, mean, add, relu, work, out[1])
        if write:
            _gradient(task, dy, x, y, gamma, mean, var, eps, add, relu, training, work, out)


@parallel
def backward_parallel(
    sums, write, dy, x, y, gamma, mean, var, eps, add, relu, training, work, work_lanes, out
):
    """Parallel over channels, and parts of the samples where those are few."""
    for index in prange(work.shape[0] * work.shape[1]):
        task = np.int64(index)
        if sums:
            _gradient_sums(task, dy, x, y, mean, add, relu, work, out[1])
        if write:
            _gradient(task, dy, x, y, gamma, mean, var, eps, add, relu, training, work, out)


@jit
def _moments(task, x, work):
    """Mean and sum of squared deviations of a part.

    Each block is shifted by the mean so far, the first one by that of a few elements, so that sums
    of squares stay small even after a wild first element.
    """
    samples, channels, width = x.shape
    parts = work.shape[1]
    channel, part = task // parts, task % parts
    first, last = part_bounds(part, parts, samples)
    rows, columns = min(max(1, _FEW // width), last - first), min(_FEW, width)
    shift = x[first, channel, 0]
    total, _ = _block_sums(x, (first * channels + channel) * width, rows, columns, shift)
    count, mean, squares = 0, shift + total / (rows * columns), 0.0
    height = max(1, BLOCK // width)
    for sample in range(first, last, height):
        rows = min(height, last - sample)
        for begin in range(0, width, BLOCK):
            columns = min(BLOCK, width - begin)
            start = (sample * channels + channel) * width + begin
            more = rows * columns
            shift = x.dtype.type(mean)
            total, total_squares = _block_sums(x, start, rows, columns, shift)
            block_mean, spread = block_moments(more, shift, total, total_squares)
            mean, squares = merge_moments(count, mean, squares, more, block_mean, spread)
            count += more
    work[channel, part, 0] = mean
    work[channel, part, 1] = squares


@jit
def _block_sums(x, start, rows, columns, shift):
    """Sums of x - shift and of its square, in lanes."""
    pitch = x.shape[1] * x.shape[2]
    step = lanes(x)
    total = full(x, 0.0)
    squares = full(x, 0.0)
    for row in range(start, start + rows * pitch, pitch):
        for i in range(0, columns, step):
            deviation = load_some(x, row + i, min(step, columns - i), shift) - shift
            total += deviation
            squares = fma(deviation, deviation, squares)
    return sum_lanes(total), sum_lanes(squares)


@jit
def _normalize(task, x, residual, gamma, beta, eps, add, relu, work, out):
    """Merge the parts' moments in order, then normalize this part."""
    out_y, out_mean, out_var = out
    samples, _, width = x.shape
    parts = work.shape[1]
    channel, part = task // parts, task % parts
    count, mean, squares = 0, 0.0, 0.0
    for p in range(parts):
        first, last = part_bounds(p, parts, samples)
        more = (last - first) * width
        part_mean, spread = work[channel, p, 0], work[channel, p, 1]
        mean, squares = merge_moments(count, mean, squares, more, part_mean, spread)
        count += more
    var = squares / count
    if part == 0:
        out_mean[channel] = mean
        out_var[channel] = var
    first, last = part_bounds(part, parts, samples)
    head = x.dtype.type(mean)
    scale, offset = forward_line(mean, head, var, gamma[channel], beta[channel], eps)
    _apply_line(x, residual, channel, first, last, head, scale, offset, add, relu, out_y)


@jit
def _apply(task, x, residual, mean, var, gamma, beta, eps, add, relu, work, out_y):
    parts = work.shape[1]
    channel, part = task // parts, task % parts
    first, last = part_bounds(part, parts, x.shape[0])
    head = x.dtype.type(mean[channel])
    scale, offset = forward_line(
        mean[channel], head, var[channel], gamma[channel], beta[channel], eps
    )
    _apply_line(x, residual, channel, first, last, head, scale, offset, add, relu, out_y)


@jit
def _apply_line(x, residual, channel, first, last, head, scale, offset, add, relu, out_y):
    _, channels, width = x.shape
    step = lanes(x)
    floor = 0.0 if relu else -np.inf
    for sample in range(first, last):
        row = (sample * channels + channel) * width
        for i in range(0, width, step):
            count = min(step, width - i)
            y = fma(load_some(x, row + i, count, head) - head, scale, offset)
            if add:
                y += load_some(residual, row + i, count, 0.0)
            store_some(out_y, row + i, count, select(y < floor, floor, y))


@jit
def _gradient_sums(task, dy, x, y, mean, add, relu, work, out_dresidual):
    """Sums of dy and of dy * (x - head) over a part."""
    samples, channels, width = x.shape
    parts = work.shape[1]
    channel, part = task // parts, task % parts
    first, last = part_bounds(part, parts, samples)
    head = x.dtype.type(mean[channel])
    total, product = 0.0, 0.0
    height = max(1, BLOCK // width)
    for sample in range(first, last, height):
        rows = min(height, last - sample)
        for begin in range(0, width, BLOCK):
            columns = min(BLOCK, width - begin)
            start = (sample * channels + channel) * width + begin
            sums = _block_gradient_sums(
                dy, x, y, start, rows, columns, head, add, relu, out_dresidual
            )
            total += sums[0]
            product += sums[1]
    work[channel, part, 0] = total
    work[channel, part, 1] = product


@jit
def _block_gradient_sums(dy, x, y, start, rows, columns, head, add, relu, out_dresidual):
    pitch = x.shape[1] * x.shape[2]
    step = lanes(x)
    total = full(x, 0.0)
    product = full(x, 0.0)
    for row in range(start, start + rows * pitch, pitch):
        for i in range(0, columns, step):
            count = min(step, columns - i)
            slope = load_slope(dy, y, row + i, count, relu)
            if add:
                store_some(out_dresidual, row + i, count, slope)
            total += slope
            product = fma(slope, load_some(x, row + i, count, head) - head, product)
    return sum_lanes(total), sum_lanes(product)


@jit
def _gradient(task, dy, x, y, gamma, mean, var, eps, add, relu, training, work, out):
    """Add up the parts' sums in order, then write this part."""
    out_dx, out_dresidual, out_dgamma, out_dbeta = out
    samples, channels, width = x.shape
    parts = work.shape[1]
    channel, part = task // parts, task % parts
    total, product = 0.0, 0.0
    for p in range(parts):
        total += work[channel, p, 0]
        product += work[channel, p, 1]
    head = x.dtype.type(mean[channel])
    dgamma, scale, slant, level = gradient_line(
        samples * width, total, product, mean[channel], head, var[channel], gamma[channel], eps
    )
    if part == 0:
        out_dgamma[channel] = dgamma
        out_dbeta[channel] = total
    step = lanes(x)
    slopes = out_dresidual if add else dy
    masked = relu and not add
    first, last = part_bounds(part, parts, samples)
    for sample in range(first, last):
        row = (sample * channels + channel) * width
        for i in range(0, width, step):
            count = min(step, width - i)
            dx = load_slope(slopes, y, row + i, count, masked) * scale
            if training:
                deviation = load_some(x, row + i, count, head) - head
                dx += fma(deviation, slant, level)
            store_some(out_dx, row + i, count, dx)
