"""Length and shrinking in SIMD values.

x, inout_x  (size,) float32 | float64, C-contiguous

Bound: each element is read once, and read and written again where the length is above c. Parallel
over chunks of a fixed size, whose sums are added in their order.
"""

import numpy as np

from kernels._jit import parallel
from kernels._reduce import multiply, sum_squares

_CHUNK = 1 << 14


def sum_of_squares_scratch(x):
    return {"work_partials": (-(-x.size // _CHUNK), np.float64)}


def sum_of_squares(x, work_partials, out_sum):
    _sum_chunks(work_partials.size, x, work_partials)
    np.add.accumulate(work_partials, out=work_partials)
    out_sum[0] = work_partials[-1]


def scale(factor, inout_x):
    _scale(-(-inout_x.size // _CHUNK), factor, inout_x)


@parallel
def _sum_chunks(chunk, x, work_partials):
    first = chunk * _CHUNK
    work_partials[chunk] = sum_squares(x, first, min(first + _CHUNK, x.size))


@parallel
def _scale(chunk, factor, inout_x):
    first = chunk * _CHUNK
    multiply(inout_x, first, min(first + _CHUNK, inout_x.size), factor)
