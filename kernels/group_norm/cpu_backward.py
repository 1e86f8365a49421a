"""Backward: x (N, G, D, S); a row is the D * S elements of a group, which lie side by side.

work_sums   (parts, 2, C) float64: sums for dgamma and dbeta
work_lanes  (parts, 2, C) of x's dtype, where S = 1: the same over a few samples
work_lines  (parts, ROWS, 2) float64, where S = 1: x_scale and dx_offset of a row's gradient

Bound: x and dy in and dx out at 10 operations an element: memory speed. The second pass over a row
finds it in the cache. Where S > 1 a channel's sums serve the row and the channel, a part is a
sample and rows are shared out. Where S = 1 a row has each channel once, so a part is a run of
samples, whose sums stay in the cache.
"""

import numpy as np

from kernels._jit import parallel
from kernels._streaming import past_caches
from kernels._tasks import share_out
from kernels.group_norm.channel_rows import ROWS, rows_of_part
from kernels.group_norm.element_runs import (
    ALONE,
    gradient_of_statistics,
    shares,
    slope_sums,
    write_gradient_line,
)

_CHANNELS = 256

# Sums of a part are written and read once more, so a part has to be several samples.
_PARTS, _LEAST_SAMPLES = 16, 16


def backward_scratch(x):
    samples, groups, channels, positions = x.shape
    if positions > 1:
        sums, of_lanes, lines = (samples, 2, groups * channels), (0, 0, 0), (0, 0, 0)
    else:
        parts = 1 if x.size <= ALONE else max(1, min(_PARTS, samples // _LEAST_SAMPLES))
        sums = of_lanes = parts, 2, groups * channels
        lines = parts, ROWS, 2
    return {
        "work_sums": (sums, np.float64),
        "work_lanes": (of_lanes, x.dtype),
        "work_lines": (lines, np.float64),
    }


def backward(
    dy, x, gamma, mean, rstd, centred, work_sums, work_lanes, work_lines, out_dx, out_dgamma,
    out_dbeta,
):  # fmt: skip
    samples, groups, channels, positions = x.shape
    given = dy, x, gamma, mean, rstd, centred
    if positions > 1:
        tasks, span = shares(samples * groups, channels * positions)
        _planes(tasks, span, *given, work_sums, out_dx)
    else:
        rows_of_part(len(work_sums), *given, work_sums, work_lanes, work_lines, out_dx)
    if out_dgamma.size:
        alone = gamma.size if x.size <= ALONE else 0
        tasks, span = share_out(gamma.size, _CHANNELS, alone)
        _add_up(tasks, span, work_sums, out_dgamma, out_dbeta)


@parallel
def _planes(task, span, dy, x, gamma, mean, rstd, centred, work_sums, out_dx):
    samples, groups, channels, positions = x.shape
    size = channels * positions
    past = past_caches(3, positions, out_dx)
    for row in range(task * span, min(task * span + span, samples * groups)):
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
            work_sums[sample, 0, channel] = (products - tail * slopes) * scale
            work_sums[sample, 1, channel] = slopes
        x_scale, dx_offset = gradient_of_statistics(size, total, product, tail, scale, centred)
        for c in range(channels if out_dx.size else 0):
            start, factor = row * size + c * positions, gamma[begin + c] * scale
            write_gradient_line(
                dy, x, start, positions, head, factor, x_scale, dx_offset, past, out_dx
            )


@parallel
def _add_up(task, span, work_sums, out_dgamma, out_dbeta):
    """Gradients to gamma and beta of some channels: the parts' sums, in order."""
    for channel in range(task * span, min(task * span + span, work_sums.shape[2])):
        dgamma, dbeta = 0.0, 0.0
        for part in range(work_sums.shape[0]):
            dgamma += work_sums[part, 0, channel]
            dbeta += work_sums[part, 1, channel]
        out_dgamma[channel] = dgamma
        out_dbeta[channel] = dbeta
