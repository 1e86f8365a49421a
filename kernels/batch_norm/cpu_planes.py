"""Batch normalization of (N, C, S): a group is a channel, whose planes are contiguous.

work_sums  (C, parts, 2) float64: two sums of each part; work_lanes is not used

Bound: forward x in and y out at 7 operations an element, backward x and dy in and dx out at 8, 9
with ReLU; a residual adds one array forward, and backward y in and its gradient out: memory speed.
The second pass over a channel finds it in the cache while N * S elements fit there.
"""

import numpy as np

from kernels._jit import jit, parallel
from kernels._moments import block_moments, deviation_sums, merge_moments, wide_moments
from kernels._range import beyond_float32
from kernels._streaming import past_caches
from kernels.batch_norm.channel_rows import add_slopes, write_gradient, write_line
from kernels.batch_norm.lines import forward_line, gradient_line
from kernels.batch_norm.parts import part_bounds

# Sums run in lanes of the array's dtype over at most so many elements, then go on in float64.
_BLOCK, _FEW = 4096, 64


@parallel
def moments(place, x, work):
    """Of parts of channels."""
    _moments(place, x, work[0])


@parallel
def normalize(task, span, x, residual, gamma, beta, eps, relu, work, out):
    """Whole channels, first their moments; or parts, whose moments are known."""
    sums, _ = work
    channels, parts, _ = sums.shape
    for place in range(task * span, min(task * span + span, channels * parts)):
        if parts == 1:
            _moments(place, x, sums)
        _normalize(place, x, residual, gamma, beta, eps, relu, sums, out)


@parallel
def apply(task, span, x, residual, mean, var, gamma, beta, eps, relu, work, out_y):
    """With given statistics."""
    sums, _ = work
    channels, parts, _ = sums.shape
    for place in range(task * span, min(task * span + span, channels * parts)):
        channel = place // parts
        line = _line(x, mean[channel], var[channel], gamma[channel], beta[channel], eps)
        _write(place, parts, x, residual, line, relu, out_y)


@parallel
def slope_sums(place, dy, x, y, gamma, beta, mean, var, eps, relu, work, out):
    """Of parts of channels."""
    _slope_sums(place, dy, x, y, gamma, beta, mean, var, eps, relu, work[0], out)


@parallel
def gradient(task, span, dy, x, y, gamma, beta, mean, var, eps, relu, training, work, out):
    """Whole channels, first their sums if wanted; or parts, whose sums are known."""
    sums, _ = work
    channels, parts, _ = sums.shape
    summed = training or y.size > 0 or out[2].size > 0
    for place in range(task * span, min(task * span + span, channels * parts)):
        if parts == 1 and summed:
            _slope_sums(place, dy, x, y, gamma, beta, mean, var, eps, relu, sums, out)
        _gradient(place, dy, x, y, gamma, beta, mean, var, eps, relu, training, sums, out)


@jit
def _rows(place, parts, x):
    """Where the first row of a part begins, and how many there are."""
    samples, channels, positions = x.shape
    first, last = part_bounds(place % parts, parts, samples)
    return (first * channels + place // parts) * positions, last - first


@jit
def _line(x, mean, var, gamma, beta, eps):
    """head, scale and offset."""
    head = x.dtype.type(mean)
    scale, offset = forward_line(mean, head, np.sqrt(var + eps), gamma, beta)
    return head, scale, offset


@jit
def _moments(place, x, sums):
    """Mean and spread of a part.

    Each block is shifted by the mean so far, the first one by that of a few elements, so that sums
    of squares stay small even after a wild first element.
    """
    _, channels, positions = x.shape
    parts, pitch = sums.shape[1], channels * positions
    start, rows = _rows(place, parts, x)
    height, columns = min(max(1, _FEW // positions), rows), min(_FEW, positions)
    shift = x[start // pitch, place // parts, 0]
    total, _ = deviation_sums(x, start, height, pitch, columns, shift)
    count, mean, spread = 0, shift + total / (height * columns), 0.0
    if not abs(mean) < np.inf:
        mean = np.float64(shift)
    most = max(1, _BLOCK // positions)
    for row in range(0, rows, most):
        height = min(most, rows - row)
        for begin in range(0, positions, _BLOCK):
            columns = min(_BLOCK, positions - begin)
            at, more = start + row * pitch + begin, height * columns
            shift = x.dtype.type(mean)
            total, squares = deviation_sums(x, at, height, pitch, columns, shift)
            if beyond_float32(x, squares):
                more_mean, more_spread = wide_moments(x, at, height, pitch, columns)
            else:
                more_mean, more_spread = block_moments(more, shift, total, squares)
            more_spread = 0.0 if more_spread < 0.0 else more_spread  # written so that NaN stays
            mean, spread = merge_moments(count, mean, spread, more, more_mean, more_spread)
            count += more
    sums[place // parts, place % parts, 0] = mean
    sums[place // parts, place % parts, 1] = spread


@jit
def _normalize(place, x, residual, gamma, beta, eps, relu, sums, out):
    """Merge the parts' moments in order, then normalize this part."""
    out_y, out_mean, out_var = out
    samples, _, positions = x.shape
    parts = sums.shape[1]
    channel, part = place // parts, place % parts
    count, mean, spread = 0, 0.0, 0.0
    for p in range(parts):
        first, last = part_bounds(p, parts, samples)
        more = (last - first) * positions
        more_mean, more_spread = sums[channel, p, 0], sums[channel, p, 1]
        mean, spread = merge_moments(count, mean, spread, more, more_mean, more_spread)
        count += more
    var = spread / count
    if part == 0:
        out_mean[channel] = mean
        out_var[channel] = var
    line = _line(x, mean, var, gamma[channel], beta[channel], eps)
    _write(place, parts, x, residual, line, relu, out_y)


@jit
def _write(place, parts, x, residual, line, relu, out_y):
    start, rows = _rows(place, parts, x)
    past = past_caches(2 + (residual.size > 0), x.shape[2], out_y)
    write_line(x, residual, start, rows, line, relu, past, out_y)


@jit
def _slope_sums(place, dy, x, y, gamma, beta, mean, var, eps, relu, sums, out):
    """Sums of the slope, dy where the ReLU passes it, and of slope * (x - head) over a part."""
    out_dresidual = out[1]
    _, channels, positions = x.shape
    parts = sums.shape[1]
    channel, part = place // parts, place % parts
    line = _line(x, mean[channel], var[channel], gamma[channel], beta[channel], eps)
    past = past_caches(5, positions, out_dresidual)
    start, rows = _rows(place, parts, x)
    total, product = 0.0, 0.0
    most = max(1, _BLOCK // positions)
    for row in range(0, rows, most):
        height = min(most, rows - row)
        for begin in range(0, positions, _BLOCK):
            columns = min(_BLOCK, positions - begin)
            at = start + row * channels * positions + begin
            slopes, products = add_slopes(
                dy, x, y, at, height, columns, line, relu, past, out_dresidual
            )
            total += slopes
            product += products
    sums[channel, part, 0] = total
    sums[channel, part, 1] = product


@jit
def _gradient(place, dy, x, y, gamma, beta, mean, var, eps, relu, training, sums, out):
    """Add up the parts' sums in order, then write this part."""
    out_dx, out_dresidual, out_dgamma, out_dbeta = out
    samples, _, positions = x.shape
    parts = sums.shape[1]
    channel, part = place // parts, place % parts
    total, product = 0.0, 0.0
    for p in range(parts if training or out_dgamma.size else 0):
        total += sums[channel, p, 0]
        product += sums[channel, p, 1]
    line = _line(x, mean[channel], var[channel], gamma[channel], beta[channel], eps)
    dgamma, x_scale, dx_offset = gradient_line(
        samples * positions, total, product, mean[channel], line[0], np.sqrt(var[channel] + eps),
        gamma[channel],
    )  # fmt: skip
    if part == 0 and out_dgamma.size:
        out_dgamma[channel] = dgamma
        out_dbeta[channel] = total
    if out_dx.size == 0:
        return
    added = y.size > 0
    start, rows = _rows(place, parts, x)
    past = past_caches(3 + 2 * added, positions, out_dx)
    slopes, masked = out_dresidual if added else dy, relu and not added
    dx_line = x_scale, dx_offset
    write_gradient(slopes, x, start, rows, line, dx_line, masked, training, past, out_dx)
