"""Maxout; arguments are those of the reference, C-contiguous.

Bound: forward reads k values an element and writes one and a byte, backward the other way round:
memory speed. Parallel over rows, and over stretches of long ones, which are independent.
"""

import numpy as np

from kernels._jit import jit, parallel_loops, prange
from kernels._simd import full, lanes, load, load_as, select, store, store_as

_STRETCH = 1 << 13

_SERIAL_BELOW = 1 << 15


def forward(x, out_y, out_piece):
    (_forward_serial if x.size < _SERIAL_BELOW else _forward_parallel)(x, out_y, out_piece)


def backward(dy, piece, out_dx):
    (_backward_serial if out_dx.size < _SERIAL_BELOW else _backward_parallel)(dy, piece, out_dx)


@jit
def _forward_serial(x, out_y, out_piece):
    for row in range(x.shape[0]):
        _greatest(x, row, 0, x.shape[2], out_y, out_piece)


@jit
def _backward_serial(dy, piece, out_dx):
    for row in range(dy.shape[0]):
        _spread(dy, piece, row, 0, dy.shape[1], out_dx)


@parallel_loops
def _forward_parallel(x, out_y, out_piece):
    n, _, size = x.shape
    stretches = (size + _STRETCH - 1) // _STRETCH
    for index in prange(n * stretches):
        task = np.int64(index)
        start = task % stretches * _STRETCH
        stop = min(start + _STRETCH, size)
        _greatest(x, task // stretches, start, stop, out_y, out_piece)


@parallel_loops
def _backward_parallel(dy, piece, out_dx):
    n, size = dy.shape
    stretches = (size + _STRETCH - 1) // _STRETCH
    for index in prange(n * stretches):
        task = np.int64(index)
        start = task % stretches * _STRETCH
        stop = min(start + _STRETCH, size)
        _spread(dy, piece, task // stretches, start, stop, out_dx)


@jit
def _greatest(x, row, start, stop, out_y, out_piece):
    """Pieces that are not less or equal replace what is there, NaN for good."""
    _, pieces, size = x.shape
    step = lanes(x)
    first, out = row * pieces * size, row * size
    whole = stop - (stop - start) % step
    for i in range(start, whole, step):
        best = load(x, first + i)
        number = full(x, 0.0)
        for j in range(1, pieces):
            other = load(x, first + j * size + i)
            greater = ~(other <= best) & (best == best)
            best = select(greater, other, best)
            number = select(greater, float(j), number)
        store(out_y, out + i, best)
        store_as(out_piece, out + i, number)
    for i in range(whole, stop):
        best = x[row, 0, i]
        number = 0
        for j in range(1, pieces):
            other = x[row, j, i]
            if not other <= best and best == best:
                best = other
                number = j
        out_y[row, i] = best
        out_piece[row, i] = number


@jit
def _spread(dy, piece, row, start, stop, out_dx):
    _, pieces, size = out_dx.shape
    step = lanes(dy)
    first, at = row * pieces * size, row * size
    whole = stop - (stop - start) % step
    for i in range(start, whole, step):
        number, gradient = load_as(piece, at + i, dy), load(dy, at + i)
        for j in range(pieces):
            store(out_dx, first + j * size + i, select(number == j, gradient, 0.0))
    for i in range(whole, stop):
        for j in range(pieces):
            out_dx[row, j, i] = dy[row, i] if piece[row, i] == j else 0.0
