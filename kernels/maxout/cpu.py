"""Maxout; arguments are those of the reference, C-contiguous.

Bound: forward reads k values an element and writes one and a byte, backward the other way round:
memory speed. Parallel over rows, and over stretches of long ones, which are independent.
"""

from kernels._jit import jit, parallel
from kernels._simd import full, lanes, load, load_as, select, store, store_as

_STRETCH = 1 << 13

# Below so many elements one task is done before another thread has woken.
_SERIAL_BELOW = 1 << 15


def forward(x, out_y, out_piece):
    tasks, block = _share_out(x.shape[0], x.shape[2], x.size)
    _forward(tasks, x, block, out_y, out_piece)


def backward(dy, piece, out_dx):
    tasks, block = _share_out(dy.shape[0], dy.shape[1], out_dx.size)
    _backward(tasks, dy, piece, block, out_dx)


def _share_out(rows, size, elements):
    """How many tasks there are, and of how many rows and columns each."""
    if elements < _SERIAL_BELOW:
        return 1, (rows, size)
    return rows * -(-size // _STRETCH), (1, _STRETCH)


@jit
def _block_of(task, rows, size, block):
    across = (size + block[1] - 1) // block[1]
    row, start = task // across * block[0], task % across * block[1]
    return row, min(row + block[0], rows), start, min(start + block[1], size)


@parallel
def _forward(task, x, block, out_y, out_piece):
    first, last, start, stop = _block_of(task, x.shape[0], x.shape[2], block)
    for row in range(first, last):
        _greatest(x, row, start, stop, out_y, out_piece)


@parallel
def _backward(task, dy, piece, block, out_dx):
    first, last, start, stop = _block_of(task, dy.shape[0], dy.shape[1], block)
    for row in range(first, last):
        _spread(dy, piece, row, start, stop, out_dx)


@jit
def _greatest(x, row, start, stop, out_y, out_piece):
    """Pieces that are not less or equal replace what is there, NaN for good."""
    _, pieces, size = x.shape
    width = lanes(x)
    first, out = row * pieces * size, row * size
    whole = stop - (stop - start) % width
    for i in range(start, whole, width):
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
    width = lanes(dy)
    first, at = row * pieces * size, row * size
    whole = stop - (stop - start) % width
    for i in range(start, whole, width):
        number, gradient = load_as(piece, at + i, dy), load(dy, at + i)
        for j in range(pieces):
            store(out_dx, first + j * size + i, select(number == j, gradient, 0.0))
    for i in range(whole, stop):
        for j in range(pieces):
            out_dx[row, j, i] = dy[row, i] if piece[row, i] == j else 0.0
