"""Max-norm in SIMD values.

inout_weight  (rows, size) float32 | float64, C-contiguous

Bound: a weight is read once, and read and written again from cache where its row is too long.
Parallel over rows, so any partition gives the same bits.
"""

import math

import numpy as np

from .._jit import jit, parallel
from .._simd import full, lanes, load, load_as, load_first, store, store_first, sum_lanes
from .._tasks import share_out

# Elements a task, and up to how many a second thread does not pay.
_CHUNK = 1 << 14
_ALONE = 1 << 15

_LIKE_DOUBLE = np.zeros(1)


def project(c, inout_weight):
    rows, size = inout_weight.shape
    tasks, span = share_out(rows, max(1, _CHUNK // size), _ALONE // size)
    _project_rows(tasks, c, span, inout_weight)


@parallel
def _project_rows(task, c, span, inout_weight):
    step = lanes(inout_weight)
    rows, size = inout_weight.shape
    for row in range(task * span, min((task + 1) * span, rows)):
        start, stop = row * size, (row + 1) * size
        norm = math.sqrt(_sum_of_squares(inout_weight, start, stop))
        if norm > c:
            factor = c / norm
            i = start
            while i + step <= stop:
                store(inout_weight, i, load(inout_weight, i) * factor)
                i += step
            if i < stop:
                rest = stop - i
                short = load_first(inout_weight, i, rest, 0.0) * factor
                store_first(inout_weight, i, rest, short)


@jit
def _sum_of_squares(weight, start, stop):
    """In float64, two values at a time to hide the latency of adding."""
    step = lanes(_LIKE_DOUBLE)
    one, other = full(_LIKE_DOUBLE, 0.0), full(_LIKE_DOUBLE, 0.0)
    i = start
    while i + 2 * step <= stop:
        a, b = load_as(weight, i, _LIKE_DOUBLE), load_as(weight, i + step, _LIKE_DOUBLE)
        one += a * a
        other += b * b
        i += 2 * step
    total = sum_lanes(one + other)
    flat = weight.reshape(-1)
    while i < stop:
        value = np.float64(flat[i])
        total += value * value
        i += 1
    return total
