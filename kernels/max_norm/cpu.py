"""Max-norm in SIMD values.

inout_weight  (rows, size) float32 | float64, C-contiguous

Bound: a weight is read once, and read and written again from cache where its row is too long.
Parallel over rows, so any partition gives the same bits.
"""

import math

from kernels._jit import parallel
from kernels._reduce import multiply, sum_squares
from kernels._tasks import share_out

# Elements a task, and up to how many a second thread does not pay.
_CHUNK = 1 << 14
_ALONE = 1 << 15


def project(c, inout_weight):
    rows, size = inout_weight.shape
    tasks, span = share_out(rows, max(1, _CHUNK // size), _ALONE // size)
    _project_rows(tasks, c, span, inout_weight)


@parallel
def _project_rows(task, c, span, inout_weight):
    rows, size = inout_weight.shape
    for row in range(task * span, min((task + 1) * span, rows)):
        start, stop = row * size, (row + 1) * size
        norm = math.sqrt(sum_squares(inout_weight, start, stop))
        if norm > c:
            multiply(inout_weight, start, stop, c / norm)
