"""Length and shrinking in SIMD values.

x, inout_x  (size,) float32 | float64, C-contiguous

Bound: each element is read once, and read and written again where the length is above c. Parallel
over chunks of a fixed size, whose sums are added in their order.
"""

import numpy as np

from .._jit import jit, parallel_loops, prange
from .._simd import full, lanes, load, load_as, load_first, store, store_first, sum_lanes

_CHUNK = 1 << 14

_LIKE_DOUBLE = np.zeros(1)


def chunks(size: int) -> int:
    """How many partial sums an array of that size needs."""
    return -(-size // _CHUNK)


@parallel_loops
def sum_of_squares(x, work_partials, out_sum):
    size = x.size
    if size <= _CHUNK:
        work_partials[0] = _squares(x, 0, size)
    else:
        for index in prange(work_partials.size):
            chunk = np.int64(index)
            first = chunk * _CHUNK
            work_partials[chunk] = _squares(x, first, min(first + _CHUNK, size))
    total = 0.0
    for chunk in range(work_partials.size):
        total += work_partials[chunk]
    out_sum[0] = total


@parallel_loops
def scale(factor, inout_x):
    size = inout_x.size
    if size <= _CHUNK:
        _scale(factor, 0, size, inout_x)
    else:
        for index in prange((size + _CHUNK - 1) // _CHUNK):
            first = np.int64(index) * _CHUNK
            _scale(factor, first, min(first + _CHUNK, size), inout_x)


@jit
def _squares(x, start, stop):
    """In float64, two values at a time to hide the latency of adding."""
    step = lanes(_LIKE_DOUBLE)
    one, other = full(_LIKE_DOUBLE, 0.0), full(_LIKE_DOUBLE, 0.0)
    i = start
    while i + 2 * step <= stop:
        a, b = load_as(x, i, _LIKE_DOUBLE), load_as(x, i + step, _LIKE_DOUBLE)
        one += a * a
        other += b * b
        i += 2 * step
    total = sum_lanes(one + other)
    while i < stop:
        value = np.float64(x[i])
        total += value * value
        i += 1
    return total


@jit
def _scale(factor, start, stop, x):
    step = lanes(x)
    i = start
    while i + step <= stop:
        store(x, i, load(x, i) * factor)
        i += step
    if i < stop:
        rest = stop - i
        store_first(x, i, rest, load_first(x, i, rest, 0.0) * factor)
