"""Softmax; arguments are those of the reference, (outer, length, inner), C-contiguous.

Bound: forward moves 2 values an element for about 25 operations, so exp sets the pace; backward
moves 3 for 4, memory speed, or 25 for the logarithm. A line stays in the cache over its passes: for
the maximum, for the sum and for the result. Lines are independent, so any partition gives the same
bits.
"""

import numpy as np

from kernels._jit import jit, parallel_loops, prange
from kernels._simd import lanes

from .columns import block_starts, blocks, column_backward, column_forward
from .rows import rows_backward, rows_forward

# One thread needs about 10 us for as many elements, what it costs to wake the others.
_TASK = 1 << 14


def forward(x, log, out_y):
    along_rows = x.shape[2] == 1
    if x.size < _TASK:
        (_forward_rows_serial if along_rows else _forward_columns_serial)(x, log, out_y)
    else:
        (_forward_rows if along_rows else _forward_columns)(x, log, out_y)


def backward(dy, y, log, out_dx):
    along_rows = y.shape[2] == 1
    if y.size < _TASK:
        (_backward_rows_serial if along_rows else _backward_columns_serial)(dy, y, log, out_dx)
    else:
        (_backward_rows if along_rows else _backward_columns)(dy, y, log, out_dx)


@jit
def _forward_rows_serial(x, log, out_y):
    rows_forward(0, x.shape[0], x, log, out_y)


@jit
def _backward_rows_serial(dy, y, log, out_dx):
    rows_backward(0, y.shape[0], dy, y, log, out_dx)


@parallel_loops
def _forward_rows(x, log, out_y):
    rows, length, _ = x.shape
    group = max(1, _TASK // length)
    for index in prange((rows + group - 1) // group):
        task = np.int64(index)
        first = task * group
        rows_forward(first, min(first + group, rows), x, log, out_y)


@parallel_loops
def _backward_rows(dy, y, log, out_dx):
    rows, length, _ = y.shape
    group = max(1, _TASK // length)
    for index in prange((rows + group - 1) // group):
        task = np.int64(index)
        first = task * group
        rows_backward(first, min(first + group, rows), dy, y, log, out_dx)


@jit
def _forward_columns_serial(x, log, out_y):
    for block in range(blocks(x)):
        starts, count = block_starts(x, block)
        for start in starts:
            column_forward(start, count, x, log, out_y)


@jit
def _backward_columns_serial(dy, y, log, out_dx):
    for block in range(blocks(y)):
        starts, count = block_starts(y, block)
        for start in starts:
            column_backward(start, count, dy, y, log, out_dx)


@parallel_loops
def _forward_columns(x, log, out_y):
    total = blocks(x)
    group = max(1, _TASK // (x.shape[1] * lanes(x)))
    for index in prange((total + group - 1) // group):
        task = np.int64(index)
        for block in range(task * group, min(task * group + group, total)):
            starts, count = block_starts(x, block)
            for start in starts:
                column_forward(start, count, x, log, out_y)


@parallel_loops
def _backward_columns(dy, y, log, out_dx):
    total = blocks(y)
    group = max(1, _TASK // (y.shape[1] * lanes(y)))
    for index in prange((total + group - 1) // group):
        task = np.int64(index)
        for block in range(task * group, min(task * group + group, total)):
            starts, count = block_starts(y, block)
            for start in starts:
                column_backward(start, count, dy, y, log, out_dx)
