"""Backward: x (N, G, D, S); a row is the D * S elements of a group, which lie side by side.

work        (parts, 2, C) float64: sums for dgamma and dbeta
work_lanes  (parts, 2, C) of x's dtype, where S = 1: the same over a few samples
work_rows   (parts, ROWS, 2) float64, where S = 1: what a row's gradient needs besides

Bound: x and dy in and dx out at 10 operations an element: memory speed. The second pass over a row
finds it in the cache. Where S > 1 a channel's sums serve the row and the channel, a part is a
sample and rows are shared out. Where S = 1 a row has each channel once, so a part is a run of
samples, whose sums stay in the cache.
"""

from .._jit import parallel
from .._tasks import share_out
from ._rows import ROWS, rows_of_part
from ._steps import (
    SERIAL_BELOW,
    gradient_of_statistics,
    past_caches,
    shares,
    slope_sums,
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


def backward(
    dy, x, gamma, mean, rstd, centred, work, work_lanes, work_rows, out_dx, out_dgamma, out_dbeta
):
    samples, groups, channels, positions = x.shape
    parts, _, all_channels = work.shape
    given = dy, x, gamma, mean, rstd, centred
    if positions > 1:
        tasks, span = shares(samples * groups, channels * positions)
        _planes(tasks, span, *given, work, out_dx)
    else:
        rows_of_part(parts, *given, work, work_lanes, work_rows, out_dx)
    alone = all_channels if x.size < SERIAL_BELOW else 0
    tasks, span = share_out(all_channels, _CHANNELS, alone)
    _add_up(tasks, span, work, out_dgamma, out_dbeta)


@parallel
def _add_up(task, span, work, out_dgamma, out_dbeta):
    """Gradients to gamma and beta of some channels: the parts' sums, in order."""
    for channel in range(task * span, min(task * span + span, work.shape[2])):
        dgamma, dbeta = 0.0, 0.0
        for part in range(work.shape[0]):
            dgamma += work[part, 0, channel]
            dbeta += work[part, 1, channel]
        out_dgamma[channel] = dgamma
        out_dbeta[channel] = dbeta


@parallel
def _planes(task, span, dy, x, gamma, mean, rstd, centred, work, out_dx):
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
            work[sample, 0, channel] = (products - tail * slopes) * scale
            work[sample, 1, channel] = slopes
        slant, level = gradient_of_statistics(size, total, product, tail, scale, centred)
        for c in range(channels):
            start, factor = row * size + c * positions, gamma[begin + c] * scale
            write_gradient_line(dy, x, start, positions, head, factor, slant, level, past, out_dx)
