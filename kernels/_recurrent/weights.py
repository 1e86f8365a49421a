"""Gradients of weights and biases, block of time steps by block of time steps.

A block has a number of steps that depends on the number of samples alone and is counted from
t = 0, so what padding adds behind the end are zeros that are summed like numbers: the bits stay.
Sums run in the arrays' dtype over a group of blocks, then go on in float64.
"""

import numpy as np

from kernels._jit import jit
from kernels._simd import full, lanes, load, store
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

# Rows summed at once: a packed panel of the right side stays in L1.
DEPTH = 256


@jit
def _pack_left(dgates, start, width, rows, first, last, work):
    """Columns [first, last) of `rows` rows of gradients as blocks (rows, TILE_ROWS).

    A value's columns at once, so that every cache line is read once.
    """
    for column in range(first, last, lanes(work)):
        for k in range(rows):
            source = start + k * width + column
            for j in range(0, lanes(work), TILE_ROWS):
                to = (column - first + j) * rows + k * TILE_ROWS
                copy_tile_column(dgates, source + j, work, to)


@jit
def _pack_right(x, start, columns, rows, column, wide, work):
    """A panel of `wide` columns, whole registers, from `column` on; zeros beyond the last."""
    count = min(wide, columns - column)
    for k in range(rows):
        source = start + k * columns + column
        copy(x, source, work, k * wide, count)
        for j in range(count, wide):
            work[k * wide + j] = 0.0


@jit
def _tile(registers, depth, a, a_start, b, wide, c, c_start, c_step, add):
    if registers == TILE_VECTORS:
        multiply_tile_3(depth, a, a_start, b, 0, wide, c, c_start, c_step, add)
    elif registers == 2:
        multiply_tile_2(depth, a, a_start, b, 0, wide, c, c_start, c_step, add)
    else:
        multiply_tile_1(depth, a, a_start, b, 0, wide, c, c_start, c_step, add)


@jit
def _multiply(rows, count, x, start, columns, add, work_a, work_b, spare, out, to):
    """4 registers are taken as 2 and 2: the sums of a single one would wait for each other."""
    register = tile_lanes(work_b)
    column = 0
    while column < columns:
        registers = (columns - column + register - 1) // register
        registers = 2 if registers == 4 else min(registers, TILE_VECTORS)
        wide = registers * register
        inside = min(wide, columns - column)
        _pack_right(x, start, columns, rows, column, wide, work_b)
        for row in range(0, count, TILE_ROWS):
            place = to + row * columns + column
            if inside == wide:
                _tile(registers, rows, work_a, row * rows, work_b, wide, out, place, columns, add)
                continue
            _tile(
                registers, rows, work_a, row * rows, work_b, wide, spare, np.int64(0), wide, False
            )
            for i in range(TILE_ROWS):
                if add:
                    accumulate(spare, i * wide, out, place + i * columns, inside)
                else:
                    copy(spare, i * wide, out, place + i * columns, inside)
        column += wide


@jit
def add_weight_gradients(
    rows, dgates, start, width, first, last, x, x_start, inputs, h, h_start, hidden, add,
    work_a, work_b, work_spare, out_dih, to_ih, out_dhh, to_hh,
):  # fmt: skip
    """out_dih += dgates' x and out_dhh += dgates' h over `rows` rows, or = where not `add`.

    dgates   flat; row r starts at `start` + r `width`; its columns [first, last), which make
             whole panels, count
    x        flat; row r starts at `x_start` + r `inputs`; nothing is done where `inputs` is 0
    h        likewise, with `hidden`
    work_a   (DEPTH (last - first),)
    work_b   (DEPTH 3 registers,)
    out_dih  flat; the row of column `first` starts at `to_ih`
    """
    count = last - first
    for row in range(0, rows, DEPTH):
        depth = min(DEPTH, rows - row)
        _pack_left(dgates, start + row * width, width, depth, first, last, work_a)
        again = add or row > 0
        # One call for both, since each call is compiled anew with all it calls.
        for side in range(2):
            right, right_start, columns, out, to = x, x_start, inputs, out_dih, to_ih
            if side:
                right, right_start, columns, out, to = h, h_start, hidden, out_dhh, to_hh
            _multiply(
                depth, count, right, right_start + row * columns, columns, again, work_a, work_b,
                work_spare, out, to,
            )  # fmt: skip


@jit
def add_column_sums(rows, dgates, start, width, first, last, spare, inout_sums):
    """inout_sums[first:last] += the sums of columns, in float64 after DEPTH rows at most.

    Four values of columns at once: lines that lie side by side are read together.

    spare  (4 lanes,)
    """
    wide = lanes(dgates)
    column = first
    while column < last:
        beside = 4 if column + 4 * wide <= last else 1
        for row in range(0, rows, DEPTH):
            # What adds nothing to any number: 0 + -0 is either of the two, as it is compiled.
            a = b = c = d = full(dgates, -0.0)
            at = start + row * width + column
            for _ in range(min(DEPTH, rows - row)):
                a = a + load(dgates, at)
                if beside == 4:
                    b = b + load(dgates, at + wide)
                    c = c + load(dgates, at + 2 * wide)
                    d = d + load(dgates, at + 3 * wide)
                at += width
            store(spare, 0, a)
            store(spare, wide, b)
            store(spare, 2 * wide, c)
            store(spare, 3 * wide, d)
            for j in range(beside * wide):
                inout_sums[column + j] += spare[j]
        column += beside * wide
