"""Gradients of weights: products of the gates' gradients with what the gates saw, and their sums.

Both sides of a product are packed, DEPTH rows at a time, for the tiles of matrix products.
"""

import numpy as np

from kernels._jit import jit
from kernels._recurrent.scratch import DEPTH
from kernels._simd import full, lanes, load, load_some, store
from kernels._tile import (
    TILE_ROWS,
    TILE_VECTORS,
    accumulate,
    copy,
    copy_tile_column,
    multiply_tile_1,
    multiply_tile_2,
    multiply_tile_3,
    tile_lanes,
)


@jit
def _pack_left(dgates, start, width, rows, first, last, work):
    """Columns [first, last) of `rows` rows of gradients as blocks (rows, TILE_ROWS).

    A value's columns at once, so that every cache line is read once; zeros beyond the last.
    """
    for column in range(first, last, lanes(work)):
        inside = last - column
        for k in range(rows):
            source = start + k * width + column
            to = (column - first) * rows + k * TILE_ROWS
            if inside >= lanes(work):
                for j in range(0, lanes(work), TILE_ROWS):
                    copy_tile_column(dgates, source + j, work, to + j * rows)
            else:
                for j in range((inside + TILE_ROWS - 1) // TILE_ROWS * TILE_ROWS):
                    value = work.dtype.type(0)
                    if j < inside:
                        value = dgates[source + j]
                    work[to + j // TILE_ROWS * TILE_ROWS * rows + j % TILE_ROWS] = value


@jit
def _pack_right(x, start, stride, columns, rows, column, wide, work):
    """A panel of `wide` columns, whole registers, from `column` on; zeros beyond the last."""
    count = min(wide, columns - column)
    for k in range(rows):
        copy(x, start + k * stride + column, work, k * wide, count)
        for j in range(count, wide):
            work[k * wide + j] = 0.0


@jit
def _tile(registers, depth, a, a_start, b, wide, c, c_start, c_stride, add):
    if registers == TILE_VECTORS:
        multiply_tile_3(depth, a, a_start, b, 0, wide, c, c_start, c_stride, add)
    elif registers == 2:
        multiply_tile_2(depth, a, a_start, b, 0, wide, c, c_start, c_stride, add)
    else:
        multiply_tile_1(depth, a, a_start, b, 0, wide, c, c_start, c_stride, add)


@jit
def _multiply(rows, count, right, add, work):
    """`count` rows of the gradient; the left side is packed.

    4 registers are taken as 2 and 2: the sums of a single one would wait for each other.
    """
    work_a, work_b, spare = work
    x, start, stride, columns, out, to = right
    register = tile_lanes(work_b)
    column = 0
    while column < columns:
        registers = (columns - column + register - 1) // register
        registers = 2 if registers == 4 else min(registers, TILE_VECTORS)
        wide = registers * register
        inside = min(wide, columns - column)
        _pack_right(x, start, stride, columns, rows, column, wide, work_b)
        for row in range(0, count, TILE_ROWS):
            place = to + row * columns + column
            if inside == wide and count - row >= TILE_ROWS:
                _tile(registers, rows, work_a, row * rows, work_b, wide, out, place, columns, add)
                continue
            _tile(
                registers, rows, work_a, row * rows, work_b, wide, spare, np.int64(0), wide, False
            )
            for i in range(min(TILE_ROWS, count - row)):
                if add:
                    accumulate(spare, i * wide, out, place + i * columns, inside)
                else:
                    copy(spare, i * wide, out, place + i * columns, inside)
        column += wide


@jit
def add_weight_gradients(rows, left, rights, add, work):
    """For both of `rights`: out += left' right over `rows` rows, or = where not `add`.

    left    (array, width, first column, last column + 1) of gradients from its first row on
    rights  two of (array, start, stride of a row, columns, out, start of the first row there);
            nothing is done for no columns
    work    as in `close_block`, of a share
    """
    dgates, width, first, last = left
    for row in range(0, rows, DEPTH):
        depth = min(DEPTH, rows - row)
        _pack_left(dgates, row * width, width, depth, first, last, work[0])
        for x, start, stride, columns, out, to in rights:
            right = x, start + row * stride, stride, columns, out, to
            _multiply(depth, last - first, right, add or row > 0, work)


@jit
def add_column_sums(rows, dgates, width, first, last, spare, inout_sums):
    """inout_sums[first:last] += the sums of columns, in float64 after DEPTH rows at most.

    Four values of columns at once: lines that lie side by side are read together.

    dgates  flat, (rows, width)
    spare   (4 lanes,)
    """
    wide = lanes(dgates)
    column = first
    while column < last:
        beside = 4 if column + 4 * wide <= last else 1
        for row in range(0, rows, DEPTH):
            # What adds nothing to any number: 0 + -0 is either of the two, as it is compiled.
            a = b = c = d = full(dgates, -0.0)
            at = row * width + column
            for _ in range(min(DEPTH, rows - row)):
                if beside == 4:
                    a = a + load(dgates, at)
                    b = b + load(dgates, at + wide)
                    c = c + load(dgates, at + 2 * wide)
                    d = d + load(dgates, at + 3 * wide)
                else:
                    a = a + load_some(dgates, at, last - column, 0.0)
                at += width
            store(spare, 0, a)
            store(spare, wide, b)
            store(spare, 2 * wide, c)
            store(spare, 3 * wide, d)
            for j in range(min(beside * wide, last - column)):
                inout_sums[column + j] += spare[j]
        column += beside * wide
