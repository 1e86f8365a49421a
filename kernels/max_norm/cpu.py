"""Max-norm in SIMD values.

inout_weight  (rows, size) float32 | float64, C-contiguous

Bound: a weight is read once, and read and written again from cache where its row is too long.
Parallel over rows, so any partition gives the same bits.
"""

import math

import numpy as np

from .._jit import jit, parallel_loops, prange
from .._simd import full, lanes, load, load_as, load_first, store, store_first, sum_lanes

# Elements a task, and where a second thread starts to pay.
_CHUNK = 1 << 14
_SERIAL = 1 << 15

_LIKE_DOUBLE = np.zeros(1)


@parallel_loops
def project(c, inout_weight):
    rows, size = inout_weight.shape
    if rows * size <= _SERIAL:
        _project_rows(c, 0, rows, inout_weight)
    else:
        span = max(1, _CHUNK // size)
        for index in prange((rows + span - 1) // span):
            task = np.int64(index)
            first = task * span
            _project_rows(c, first, min(first + span, rows), inout_weight)


@jit
def _project_rows(c, first, last, weight):
    step = lanes(weight)
    size = weight.shape[1]
    for row in range(first, last):
        start, stop = row * size, (row + 1) * size
        norm = math.sqrt(_sum_of_squares(weight, start, stop))
        if norm > c:
            factor = c / norm
            i = start
            while i + step <= stop:
                store(weight, i, load(weight, i) * factor)
                i += step
            if i < stop:
                rest = stop - i
                store_first(weight, i, rest, load_first(weight, i, rest, 0.0) * factor)


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
