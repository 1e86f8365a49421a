"""PReLU of (N, C, S) with a weight (C,); arguments are those of the reference.

Bound: forward moves 2 values an element, backward 3, for 2 to 5 operations: memory speed.
Parallel over pieces: a piece is a stretch of at most _PIECE elements of a plane; where planes have
one element, some rows (N, C), with a value for as many channels. Each piece has its own sums, which
are added up in order: the same bits on any number of threads.
"""

import numpy as np

from kernels._jit import jit, parallel
from kernels._simd import (
    fma,
    full,
    lanes,
    load_some,
    select,
    store_as,
    store_some,
    sum_lanes,
)

# Sums of a piece run in lanes of the arrays' dtype, then go on in float64.
_PIECE = 1 << 10

# Pieces are shared out in groups of about so many elements.
_TASK = 1 << 14

# Rows in a piece: sums of as many products run in the arrays' dtype, then go on in float64.
_ROWS = 256

# The sums of channels side by side are stored by whole values.
_WIDEST_VALUE = 64


def forward(x, weight, out_y):
    if x.shape[2] == 1:
        _forward_rows(-(-x.shape[0] // _ROWS), x, weight, out_y)
    else:
        tasks, group = _groups(x.shape)
        _forward_planes(tasks, x, weight, group, out_y)


def backward(dy, x, weight, work_sums, out_dx, out_dweight):
    if x.shape[2] == 1:
        _backward_rows(work_sums.shape[0], dy, x, weight, work_sums, out_dx)
        out_dweight[...] = work_sums[:, : weight.size].sum(axis=0)
    else:
        tasks, group = _groups(x.shape)
        _backward_planes(tasks, dy, x, weight, group, work_sums, out_dx)
        out_dweight[...] = work_sums.sum(axis=(0, 2))


def backward_scratch(x):
    """Sums of shape (pieces, C and more), or (N, C, pieces of a plane)."""
    n, channels, size = x.shape
    if size == 1:
        shape = -(-n // _ROWS), -(-channels // _WIDEST_VALUE) * _WIDEST_VALUE
    else:
        shape = n, channels, -(-size // _PIECE)
    return {"work_sums": (shape, np.float64)}


def _groups(shape):
    """How many tasks there are, and of how many pieces each."""
    n, channels, size = shape
    group = max(1, _TASK // min(size, _PIECE))
    total = n * channels * -(-size // _PIECE)
    return -(-total // group), group


@parallel
def _forward_planes(task, x, weight, group, out_y):
    n, channels, size = x.shape
    pieces = (size + _PIECE - 1) // _PIECE
    for unit in range(task * group, min(task * group + group, n * channels * pieces)):
        plane, piece = unit // pieces, unit % pieces
        start = plane * size + piece * _PIECE
        stop = min(start + _PIECE, plane * size + size)
        _forward_stretch(x, weight[plane % channels], out_y, start, stop)


@parallel
def _backward_planes(task, dy, x, weight, group, work_sums, out_dx):
    n, channels, size = x.shape
    pieces = (size + _PIECE - 1) // _PIECE
    for unit in range(task * group, min(task * group + group, n * channels * pieces)):
        plane, piece = unit // pieces, unit % pieces
        start = plane * size + piece * _PIECE
        stop = min(start + _PIECE, plane * size + size)
        total = _backward_stretch(dy, x, weight[plane % channels], out_dx, start, stop)
        work_sums[plane // channels, plane % channels, piece] = total


@parallel
def _forward_rows(piece, x, weight, out_y):
    n, channels, _ = x.shape
    for row in range(piece * _ROWS, min(piece * _ROWS + _ROWS, n)):
        for channel in range(0, channels, lanes(x)):
            count = channels - channel
            slope = load_some(weight, channel, count, 0.0)
            value, _ = _rectified(slope, x, x, row * channels + channel, count)
            store_some(out_y, row * channels + channel, count, value)


@parallel
def _backward_rows(piece, dy, x, weight, work_sums, out_dx):
    n, channels, _ = x.shape
    for channel in range(0, channels, lanes(x)):
        count = channels - channel
        slope = load_some(weight, channel, count, 0.0)
        sums = full(x, 0.0)
        for row in range(piece * _ROWS, min(piece * _ROWS + _ROWS, n)):
            at = row * channels + channel
            gradient, below = _rectified(slope, x, dy, at, count)
            store_some(out_dx, at, count, gradient)
            sums = fma(below, load_some(dy, at, count, 0.0), sums)
        store_as(work_sums, piece * work_sums.shape[1] + channel, sums)


@jit
def _forward_stretch(x, slope, out_y, start, stop):
    slopes = full(x, slope)
    for i in range(start, stop, lanes(x)):
        count = stop - i
        value, _ = _rectified(slopes, x, x, i, count)
        store_some(out_y, i, count, value)


@jit
def _backward_stretch(dy, x, slope, out_dx, start, stop):
    """The sum of dy x where x <= 0."""
    slopes, sums = full(x, slope), full(x, 0.0)
    for i in range(start, stop, lanes(x)):
        count = stop - i
        gradient, below = _rectified(slopes, x, dy, i, count)
        store_some(out_dx, i, count, gradient)
        sums = fma(below, load_some(dy, i, count, 0.0), sums)
    return sum_lanes(sums)


@jit
def _rectified(slope, x, values, at, count):
    """Values where x > 0, else slope * values; and x where it is not, else 0."""
    value, decided = load_some(values, at, count, 0.0), load_some(x, at, count, 0.0)
    above = decided > 0.0
    return select(above, value, value * slope), select(above, 0.0, decided)
