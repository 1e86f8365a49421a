"""Blocks of queries and keys: their products, and copies between rows and panels of columns.

A panel is a value's columns, rows of it one behind the other; zeros stand beyond the last column.
"""

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from kernels._jit import jit
from kernels._simd import (
    call,
    first,
    full,
    lanes,
    load,
    load_first,
    pointer,
    select,
    store,
    store_first,
)
from kernels._tile import (
    ROWS_HIGH,
    ROWS_LOW,
    ROWS_MIDDLE,
    row_tile_high,
    row_tile_low,
    row_tile_middle,
    tile_lanes,
    transpose_square,
)

# A panel of 256 keys is 16 KiB, half an L1 cache; strips of scores of 64 rows are 64 KiB of L2.
KEYS = 256
ROWS = 64

# Heads lie in rows far from one another, where no processor sees what is read next: this many
# rows before it is.
AHEAD = 8
LINE_BYTES = 64

# Rows whose scores are computed, weighed and used while they are in L1.
STRIP = 2 * ROWS_HIGH


@intrinsic
def standing_alone(typingctx):
    """The function that says this is not copied into its callers, or they compile for minutes."""

    def codegen(context, builder, sig, args):
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def _fetch(typingctx, array, at):
    """Ask for the cache line of an element, which may lie outside of the array."""

    def codegen(context, builder, sig, args):
        address = pointer(context, builder, array, *args)
        address = builder.bitcast(address, ir.IntType(8).as_pointer())
        read, near, data = (ir.IntType(32)(number) for number in (0, 3, 1))
        call(builder, "llvm.prefetch.p0", ir.VoidType(), [address, read, near, data])
        return context.get_dummy_value()

    return types.void(array, types.intp), codegen


@jit
def expect_row(x, at, columns):
    """Ask for the cache lines of a row that will be read or written soon."""
    for j in range(0, columns, LINE_BYTES // x.itemsize):
        _fetch(x, at + j)


@jit
def multiply(
    rows, depth, a, a_start, a_row, a_step, b, b_start, b_panel, panels, c, c_start, c_row, add
):
    """C = A B, or += where `add`, for `rows` rows and `panels` panels of columns.

    a_row, a_step  steps of a row and of k
    b_panel        step of a panel, which has `depth` rows
    c_row          step of a row; panels lie side by side

    No tuples among the arguments: each with a constant in it would be another type to compile for.
    """
    standing_alone()
    tiles = (rows + ROWS_HIGH - 1) // ROWS_HIGH
    for panel in range(panels):
        b_from = b_start + panel * b_panel
        for tile in range(tiles):
            first, behind = rows * tile // tiles, rows * (tile + 1) // tiles
            last = behind - first - 1
            left = a_start + first * a_row, a_row, a_step, last
            to = c_start + first * c_row + panel * lanes(b), c_row
            if last >= ROWS_MIDDLE:
                row_tile_high(depth, a, left, b, b_from, c, to, add)
            elif last >= ROWS_LOW:
                row_tile_middle(depth, a, left, b, b_from, c, to, add)
            else:
                row_tile_low(depth, a, left, b, b_from, c, to, add)


@jit
def panels_of(columns, array):
    """How many panels hold so many columns."""
    return (columns + lanes(array) - 1) // lanes(array)


@jit
def pack_rows(x, start, row_step, rows, columns, out, begin):
    """From `begin` on, panels of columns of the rows of x from `start` on."""
    standing_alone()
    step = lanes(x)
    whole = columns // step
    rest = columns - whole * step
    for row in range(rows):
        at = start + row * row_step
        to = begin + row * step
        expect_row(x, at + AHEAD * row_step, columns)
        for panel in range(whole):
            store(out, to + panel * rows * step, load(x, at + panel * step))
        if rest:
            tail = load_first(x, at + whole * step, rest, 0.0)
            store(out, to + whole * rows * step, tail)


@jit
def pack_columns(x, start, row_step, rows, columns, out, begin):
    """From `begin` on, panels of the rows of x as columns."""
    standing_alone()
    step, register = lanes(x), tile_lanes(x)
    squares = columns // register * register
    for row in range(0, rows, register):
        panel = begin + row // step * columns * step + row % step
        high = min(register, rows - row)
        at = start + row * row_step
        for i in range(high):
            expect_row(x, at + (AHEAD + i) * row_step, columns)
        done = 0
        if high == register:
            for column in range(0, squares, register):
                transpose_square(x, at + column, row_step, out, panel + column * step, step)
            done = squares
        for column in range(done, columns):
            to = panel + column * step
            for i in range(high):
                out[to + i] = x[at + i * row_step + column]
            for i in range(high, register):
                out[to + i] = 0.0
    if rows % step and rows % step <= step - register:
        panel = begin + rows // step * columns * step
        for column in range(columns):
            for i in range((rows % step + register - 1) // register * register, step):
                out[panel + column * step + i] = 0.0


@jit
def put_row(source, at, columns, factor, add, out, to):
    """A row of `out` = factor source, or += where `add`."""
    standing_alone()
    step = lanes(out)
    rest = columns % step
    for i in range(0, columns - rest, step):
        value = load(source, at + i) * factor
        if add:
            value += load(out, to + i)
        store(out, to + i, value)
    if rest:
        value = load_first(source, at + columns - rest, rest, 0.0) * factor
        end = to + columns - rest
        if add:
            value += load_first(out, end, rest, 0.0)
        store_first(out, end, rest, value)


@jit
def clear(array, start, count):
    """Zeros; `count` is a multiple of the lanes."""
    for i in range(start, start + count, lanes(array)):
        store(array, i, 0.0)


@jit
def clear_row(out, to, columns):
    for i in range(to, to + columns):
        out[i] = 0.0


@jit
def hide(scores, at, seen, width):
    """-inf from column `seen` on, up to `width`, a multiple of the lanes."""
    standing_alone()
    step = lanes(scores)
    edge = seen // step * step
    if edge < width:
        kept = first(scores, seen - edge)
        store(scores, at + edge, select(kept, load(scores, at + edge), -np.inf))
        for j in range(edge + step, width, step):
            store(scores, at + j, full(scores, -np.inf))


@jit
def add_mask(mask, mask_at, count, scores, at):
    """scores += mask, `count` columns; those behind them in the last value are lost."""
    standing_alone()
    step = lanes(scores)
    rest = count % step
    for j in range(0, count - rest, step):
        store(scores, at + j, load(scores, at + j) + load(mask, mask_at + j))
    if rest:
        j = count - rest
        masked = load(scores, at + j) + load_first(mask, mask_at + j, rest, 0.0)
        store(scores, at + j, masked)
