"""Softmax; arguments are those of the reference, (outer, length, inner), C-contiguous.

Bound: forward moves 2 values an element for about 25 operations, so exp sets the pace; backward
moves 3 for 4, memory speed, or 25 for the logarithm. A line stays in the cache over its passes: for
the maximum, for the sum and for the result. Lines are independent, so any partition gives the same
bits.
"""

from kernels._jit import parallel
from kernels._simd import VALUE_BYTES
from kernels._tasks import share_out

from .columns import block_starts, column_backward, column_forward
from .rows import rows_backward, rows_forward

# One thread needs about 10 us for as many elements, what it costs to wake the others.
_TASK = 1 << 14


def forward(x, log, out_y):
    (_forward_rows if x.shape[2] == 1 else _forward_columns)(*_shares(x), x, log, out_y)


def backward(dy, y, log, out_dx):
    (_backward_rows if y.shape[2] == 1 else _backward_columns)(*_shares(y), dy, y, log, out_dx)


def _shares(x):
    """How many tasks there are, of how many units each but the last, and how many units.

    A unit is a row, or a block of lines side by side.
    """
    outer, length, inner = x.shape
    side_by_side = 1 if inner == 1 else VALUE_BYTES // x.itemsize
    units = outer * max(1, inner // side_by_side)
    alone = units if x.size < _TASK else 0
    return *share_out(units, max(1, _TASK // (length * side_by_side)), alone), units


@parallel
def _forward_rows(task, span, rows, x, log, out_y):
    rows_forward(task * span, min(task * span + span, rows), x, log, out_y)


@parallel
def _backward_rows(task, span, rows, dy, y, log, out_dx):
    rows_backward(task * span, min(task * span + span, rows), dy, y, log, out_dx)


@parallel
def _forward_columns(task, span, blocks, x, log, out_y):
    for block in range(task * span, min(task * span + span, blocks)):
        starts, count = block_starts(x, block)
        for start in starts:
            column_forward(start, count, x, log, out_y)


@parallel
def _backward_columns(task, span, blocks, dy, y, log, out_dx):
    for block in range(task * span, min(task * span + span, blocks)):
        starts, count = block_starts(y, block)
        for start in starts:
            column_backward(start, count, dy, y, log, out_dx)
