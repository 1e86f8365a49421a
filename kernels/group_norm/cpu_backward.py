"""Backward: x (N, G, D, S); a row is the D * S elements of a group, which lie side by side.

work        (parts, 2, C) float64: sums for dgamma and dbeta
work_lanes  (parts, 2, C) of x's dtype, where S = 1: the same over a few samples
work_rows   (parts, ROWS, 2) float64, where S = 1: what a row's gradient needs besides

Bound: x and dy in and dx out at 10 operations an element: memory speed. The second pass over a row
finds it in the cache. Where S > 1 a channel's sums serve the row and the channel, a part is a
sample and rows are shared out. Where S = 1 a row has each channel once, so a part is a run of
samples, whose sums stay in the cache.
"""

import numpy as np

from .._jit import jit, parallel_loops, prange
from ._rows import ROWS, rows_of_part
from ._steps import (
    SERIAL_BELOW,
    gradient_of_statistics,
    past_caches,
    slope_sums,
    task_count,
    task_rows,
    write_gradient_line,
)

_CHANNELS = 256

# Sums of a part are written and read once more, so a part has to be several samples.
_PARTS, _LEAST_SAMPLES = 16, 16


def work_shapes(x):
    samples, groups, channels, positions = x.shape
    if positions > 1:
        return (samples, 2, groups * channels), (0, 0, 0), (0, 0, 0)
    parts = 1 if x.size < SERIAL_BELOW else max(1, min(_PARTS, samples // _LEAST_SAMPLES))
    sums = parts, 2, groups * channels
    return sums, sums, (parts, ROWS, 2)


@parallel_loops
def backward(
    dy, x, gamma, mean, rstd, centred, work, work_lanes, work_rows, out_dx, out_dgamma, out_dbeta
):
    samples, groups, channels, positions = x.shape
    rows, size = samples * groups, channels * positions
    parts, _, all_channels = work.shape
    if x.size < SERIAL_BELOW:
        if positions > 1:
            _planes(0, rows, dy, x, gamma, mean, rstd, centred, work, out_dx)
        else:
            rows_of_part(0, dy, x, gamma, mean, rstd, centred, work, work_lanes, work_rows, out_dx)
        _add_up(0, all_channels, work, out_dgamma, out_dbeta)
    else:
        if positions > 1:
            for index in prange(task_count(rows, size)):
                task = np.int64(index)
                first, last = task_rows(np.int64(task), rows, size)
                _planes(first, last, dy, x, gamma, mean, rstd, centred, work, out_dx)
        else:
            for index in prange(parts):
                part = np.int64(index)
                rows_of_part(
                    part, dy, x, gamma, mean, rstd, centred, work, work_lanes, work_rows, out_dx
                )
        for index in prange(-(-all_channels // _CHANNELS)):
            strip = np.int64(index)
            begin = np.int64(strip) * _CHANNELS
            end = min(begin + _CHANNELS, all_channels)
            _add_up(begin, end, work, out_dgamma, out_dbeta)


@jit
def _add_up(first, last, work, out_dgamma, out_dbeta):
    """Gradients to gamma and beta of some channels: the parts' sums, in order."""
    for channel in range(first, last):
        dgamma, dbeta = 0.0, 0.0
        for part in range(work.shape[0]):
            dgamma += work[part, 0, channel]
            dbeta += work[part, 1, channel]
        out_dgamma[channel] = dgamma
        out_dbeta[channel] = dbeta


@jit
def _planes(first, last, dy, x, gamma, mean, rstd, centred, work, out_dx):
    _, groups, channels, positions = x.shape
    size = channels * positions
    past = past_caches(3, positions, out_dx)
    for row in range(first, last):
        sample, begin = row // groups, row % groups * channels
        scale = rstd[row]
        head = x.dtype.type(mean[row])
        tail = mean[row] - head
        total, product = 0.0, 0.0
        for c in range(channels):
            channel, start = begin + c, row * size + c * positions
            slopes, products = slope_sums(dy, x, start, positions, head)
            total += gamma[channel] * slopes
            product += gamma[channel] * products
            work[sample, 0, channel] = (products - tail * slopes) * scale
            work[sample, 1, channel] = slopes
        slant, level = gradient_of_statistics(size, total, product, tail, scale, centred)
        for c in range(channels):
            start, factor = row * size + c * positions, gamma[begin + c] * scale
            write_gradient_line(dy, x, start, positions, head, factor, slant, level, past, out_dx)
