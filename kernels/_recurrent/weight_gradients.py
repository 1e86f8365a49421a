"""Gradients of weights: products of the gates' gradients with what the gates saw, and their sums.

Both sides of a product are packed, KC rows at a time: a panel of the right side stays in L1.
"""

from kernels._jit import jit
from kernels._simd import full, lanes, load, load_some, store
from kernels._tile import (
    KC,
    MR,
    NR_REGISTERS,
    clear_columns,
    copy_tile_column,
    macro_kernel,
    pack_panel,
    tile_lanes,
)


@jit
def _pack_left(dgates, start, width, rows, first, last, work):
    """Columns [first, last) of `rows` rows of gradients as panels (rows, MR), zeros beyond.

    A value's columns at once, so that every cache line is read once.
    """
    whole = first + (last - first) // lanes(work) * lanes(work)
    for column in range(first, whole, lanes(work)):
        for k in range(rows):
            source = start + k * width + column
            to = (column - first) * rows + k * MR
            for j in range(0, lanes(work), MR):
                copy_tile_column(dgates, source + j, work, to + j * rows)
    for column in range(whole, last, MR):
        inside, to = min(MR, last - column), (column - first) * rows
        pack_panel(dgates, start + column, width, False, rows, inside, work, to, MR)
        clear_columns(rows, inside, MR, work, to, MR)


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
        registers = 2 if registers == 4 else min(registers, NR_REGISTERS)
        wide = registers * register
        inside = min(wide, columns - column)
        pack_panel(x, start + column, stride, False, rows, inside, work_b, 0, wide)
        clear_columns(rows, inside, wide, work_b, 0, wide)
        macro_kernel(
            rows, count, inside, work_a, 0, work_b, 0, wide, 0, out, to + column, columns, add,
            spare,
        )  # fmt: skip
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
    for row in range(0, rows, KC):
        depth = min(KC, rows - row)
        _pack_left(dgates, row * width, width, depth, first, last, work[0])
        for x, start, stride, columns, out, to in rights:
            right = x, start + row * stride, stride, columns, out, to
            _multiply(depth, last - first, right, add or row > 0, work)


@jit
def add_column_sums(rows, dgates, width, first, last, spare, inout_sums):
    """inout_sums[first:last] += the sums of columns, in float64 after KC rows at most.

    Four values of columns at once: lines that lie side by side are read together.

    dgates  flat, (rows, width)
    spare   (4 lanes,)
    """
    wide = lanes(dgates)
    column = first
    while column < last:
        beside = 4 if column + 4 * wide <= last else 1
        for row in range(0, rows, KC):
            # What adds nothing to any number: 0 + -0 is either of the two, as it is compiled.
            a = b = c = d = full(dgates, -0.0)
            at = row * width + column
            for _ in range(min(KC, rows - row)):
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
