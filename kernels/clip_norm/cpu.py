"""Length and shrinking in SIMD values.

x, inout_x  (size,) float32 | float64, C-contiguous

Bound: each element is read once, and read and written again where the length is above c. Parallel
over chunks of a fixed size, whose sums are added in their order.
"""

import numpy as np

from .._jit import parallel
from .._simd import full, lanes, load, load_as, load_first, store, store_first, sum_lanes

_CHUNK = 1 << 14

_LIKE_DOUBLE = np.zeros(1)


def chunks(size: int) -> int:
    """How many partial sums an array of that size needs."""
    return -(-size // _CHUNK)


def sum_of_squares(x, work_partials, out_sum):
    _sum_chunks(work_partials.size, x, work_partials)
    np.add.accumulate(work_partials, out=work_partials)
    out_sum[0] = work_partials[-1]


def scale(factor, inout_x):
    _scale(chunks(inout_x.size), factor, inout_x)


@parallel
def _sum_chunks(chunk, x, work_partials):
    """In float64, two values at a time to hide the latency of adding."""
    i, stop = chunk * _CHUNK, min((chunk + 1) * _CHUNK, x.size)
    step = lanes(_LIKE_DOUBLE)
    one, other = full(_LIKE_DOUBLE, 0.0), full(_LIKE_DOUBLE, 0.0)
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
    work_partials[chunk] = total


@parallel
def _scale(chunk, factor, inout_x):
    i, stop = chunk * _CHUNK, min((chunk + 1) * _CHUNK, inout_x.size)
    step = lanes(inout_x)
    while i + step <= stop:
        store(inout_x, i, load(inout_x, i) * factor)
        i += step
    if i < stop:
        rest = stop - i
        store_first(inout_x, i, rest, load_first(inout_x, i, rest, 0.0) * factor)
