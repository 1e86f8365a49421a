"""Batch normalization of (N, C, S): a task owns a channel, whose planes are contiguous.

x, y, dy, out_y, out_dx                     (N, C, S) float32 | float64, C-contiguous
gamma, beta, out_dgamma, out_dbeta          (C,) of the same dtype
mean, var, out_mean, out_var                (C,) float64
work                                        (C, parts, 2) float64: two sums of each part

Bound: forward x in and y out at 7 operations an element, backward x and dy in and dx out at 8, 9
with ReLU; a residual adds one array forward, and backward y in and its gradient out: memory speed.
The second pass over a channel finds it in the cache while N * S elements fit there.
"""

import numpy as np

from kernels._jit import jit, parallel
from kernels._range import beyond_float32

from ._rows import block_gradient_sums, deviation_sums, wide_moments, write_gradient, write_line
from ._steps import (
    block_moments,
    forward_line,
    gradient_line,
    merge_moments,
    part_bounds,
    past_caches,
)

# Sums run in lanes of the array's dtype over at most so many elements, then go on in float64.
_BLOCK, _FEW = 4096, 64


@parallel
def moments(place, x, work):
    """Of parts of channels, where those are few."""
    _moments(place, x, work)


@parallel
def normalize(task, span, x, residual, gamma, beta, eps, add, relu, work, out):
    """Channels, first their moments; or parts of them, whose moments are known."""
    groups, parts, _ = work[0].shape
    for place in range(task * span, min(task * span + span, groups * parts)):
        if parts == 1:
            _moments(place, x, work)
        _normalize(place, x, residual, gamma, beta, eps, add, relu, work, out)


@parallel
def apply(task, span, x, residual, mean, var, gamma, beta, eps, add, relu, work, out_y):
    groups, parts, _ = work[0].shape
    for place in range(task * span, min(task * span + span, groups * parts)):
        _apply(place, x, residual, mean, var, gamma, beta, eps, add, relu, work, out_y)


@parallel
def gradient_sums(place, dy, x, y, gamma, beta, mean, var, eps, add, relu, work, out):
    """Of parts of channels, where those are few."""
    _gradient_sums(place, dy, x, y, gamma, beta, mean, var, eps, add, relu, work, out)


@parallel
def gradient(task, span, dy, x, y, gamma, beta, mean, var, eps, add, relu, training, work, out):
    """Channels, first their sums; or parts of them, whose sums are known."""
    groups, parts, _ = work[0].shape
    for place in range(task * span, min(task * span + span, groups * parts)):
        if parts == 1:
            _gradient_sums(place, dy, x, y, gamma, beta, mean, var, eps, add, relu, work, out)
        _gradient(place, dy, x, gamma, beta, mean, var, eps, add, relu, training, work, out)


@jit
def _moments(place, x, work):
    """Mean and sum of squared deviations of a part.

    Each block is shifted by the mean so far, the first one by that of a few elements, so that sums
    of squares stay small even after a wild first element.
    """
    samples, channels, width = x.shape
    sums, _ = work
    parts = sums.shape[1]
    channel, part = place // parts, place % parts
    first, last = part_bounds(part, parts, samples)
    rows, columns = min(max(1, _FEW // width), last - first), min(_FEW, width)
    shift = x[first, channel, 0]
    total, _ = deviation_sums(x, (first * channels + channel) * width, rows, columns, shift)
    count, mean, squares = 0, shift + total / (rows * columns), 0.0
    if not abs(mean) < np.inf:
        mean = np.float64(shift)
    height = max(1, _BLOCK // width)
    for sample in range(first, last, height):
        rows = min(height, last - sample)
        for begin in range(0, width, _BLOCK):
            columns = min(_BLOCK, width - begin)
            start = (sample * channels + channel) * width + begin
            more = rows * columns
            shift = x.dtype.type(mean)
            total, total_squares = deviation_sums(x, start, rows, columns, shift)
            if beyond_float32(x, total_squares):
                block_mean, spread = wide_moments(x, start, rows, columns)
            else:
                block_mean, spread = block_moments(more, shift, total, total_squares)
            spread = 0.0 if spread < 0.0 else spread  # written so that NaN stays
            mean, squares = merge_moments(count, mean, squares, more, block_mean, spread)
            count += more
    sums[channel, part, 0] = mean
    sums[channel, part, 1] = squares


@jit
def _normalize(place, x, residual, gamma, beta, eps, add, relu, work, out):
    """Merge the parts' moments in order, then normalize this part."""
    out_y, out_mean, out_var = out
    samples, _, width = x.shape
    sums, _ = work
    parts = sums.shape[1]
    channel, part = place // parts, place % parts
    count, mean, squares = 0, 0.0, 0.0
    for p in range(parts):
        first, last = part_bounds(p, parts, samples)
        more = (last - first) * width
        part_mean, spread = sums[channel, p, 0], sums[channel, p, 1]
        mean, squares = merge_moments(count, mean, squares, more, part_mean, spread)
        count += more
    var = squares / count
    if part == 0:
        out_mean[channel] = mean
        out_var[channel] = var
    first, last = part_bounds(part, parts, samples)
    head = x.dtype.type(mean)
    root = np.sqrt(var + eps)
    scale, offset = forward_line(mean, head, root, gamma[channel], beta[channel])
    start, rows = (first * x.shape[1] + channel) * x.shape[2], last - first
    past = past_caches(2 + add, x, out_y)
    write_line(x, residual, start, rows, head, scale, offset, add, relu, past, out_y)


@jit
def _apply(place, x, residual, mean, var, gamma, beta, eps, add, relu, work, out_y):
    sums, _ = work
    parts = sums.shape[1]
    channel, part = place // parts, place % parts
    first, last = part_bounds(part, parts, x.shape[0])
    head = x.dtype.type(mean[channel])
    root = np.sqrt(var[channel] + eps)
    scale, offset = forward_line(mean[channel], head, root, gamma[channel], beta[channel])
    start, rows = (first * x.shape[1] + channel) * x.shape[2], last - first
    past = past_caches(2 + add, x, out_y)
    write_line(x, residual, start, rows, head, scale, offset, add, relu, past, out_y)


@jit
def _gradient_sums(place, dy, x, y, gamma, beta, mean, var, eps, add, relu, work, out):
    """Sums of the slope, dy where ReLU passes it, and of slope * (x - head) over a part."""
    out_dresidual = out[1]
    samples, channels, width = x.shape
    sums, _ = work
    parts = sums.shape[1]
    channel, part = place // parts, place % parts
    first, last = part_bounds(part, parts, samples)
    head = x.dtype.type(mean[channel])
    root = np.sqrt(var[channel] + eps)
    scale, offset = forward_line(mean[channel], head, root, gamma[channel], beta[channel])
    past = past_caches(3 + 2 * add, x, out_dresidual)
    total, product = 0.0, 0.0
    height = max(1, _BLOCK // width)
    for sample in range(first, last, height):
        rows = min(height, last - sample)
        for begin in range(0, width, _BLOCK):
            columns = min(_BLOCK, width - begin)
            start = (sample * channels + channel) * width + begin
            slopes, products = block_gradient_sums(
                dy, x, y, start, rows, columns, head, scale, offset, add, relu, past, out_dresidual
            )
            total += slopes
            product += products
    sums[channel, part, 0] = total
    sums[channel, part, 1] = product


@jit
def _gradient(place, dy, x, gamma, beta, mean, var, eps, add, relu, training, work, out):
    """Add up the parts' sums in order, then write this part."""
    out_dx, out_dresidual, out_dgamma, out_dbeta = out
    samples, channels, width = x.shape
    sums, _ = work
    parts = sums.shape[1]
    channel, part = place // parts, place % parts
    total, product = 0.0, 0.0
    for p in range(parts):
        total += sums[channel, p, 0]
        product += sums[channel, p, 1]
    head = x.dtype.type(mean[channel])
    root = np.sqrt(var[channel] + eps)
    dgamma, slant, level = gradient_line(
        samples * width, total, product, mean[channel], head, root, gamma[channel]
    )
    scale, offset = forward_line(mean[channel], head, root, gamma[channel], beta[channel])
    if part == 0:
        out_dgamma[channel] = dgamma
        out_dbeta[channel] = total
    slopes = out_dresidual if add else dy
    masked = relu and not add
    first, last = part_bounds(part, parts, samples)
    start, rows = (first * channels + channel) * width, last - first
    past = past_caches(3 + 2 * add, x, out_dx)
    write_gradient(
        slopes, x, start, rows, head, scale, offset, slant, level, masked, training, past, out_dx
    )
