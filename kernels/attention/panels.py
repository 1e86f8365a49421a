"""Rows of a head as packed panels, and products with them.

A panel is a value's columns, rows of it one behind the other; zeros stand beyond the last column.
Rows come as (array, start of the first, stride from row to row).
"""

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from kernels._jit import jit
from kernels._simd import call, lanes, load_some, pointer, store
from kernels._tile import multiply_rows, tile_lanes, transpose_square

# Heads lie in rows far from one another, where no processor sees what is read next: this many
# rows before it is.
AHEAD = 8
LINE_BYTES = 64


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
def expect_row(rows, row, columns):
    """Ask for the cache lines of a row that will be read or written soon."""
    array, start, stride = rows
    at = start + row * stride
    for j in range(0, columns, LINE_BYTES // array.itemsize):
        _fetch(array, at + j)


@jit
def multiply(rows, depth, a, b, b_panel, panels, c, add):
    """C = A B, or += where `add`, for `rows` rows and `panels` panels of columns.

    a        (array, start, stride of a row, stride of k)
    b        (array, start), `b_panel` from panel to panel, each of `depth` rows
    c        (array, start, stride of a row); panels lie side by side
    """
    standing_alone()
    multiply_rows(
        rows, depth, a[0], (a[1], a[2], a[3]), b[0], (b[1], b_panel), panels, c[0],
        (c[1], c[2], lanes(c[0])), add,
    )  # fmt: skip


@jit
def pack_rows(source, first, rows, columns, out, begin):
    """From `begin` on, panels of columns of `rows` rows from the `first` on."""
    standing_alone()
    x, start, stride = source
    for row in range(first, first + rows):
        at, to = start + row * stride, begin + (row - first) * lanes(x)
        expect_row(source, row + AHEAD, columns)
        for j in range(0, columns, lanes(x)):
            store(out, to + j * rows, load_some(x, at + j, columns - j, 0.0))


@jit
def pack_columns(source, first, rows, columns, out, begin):
    """From `begin` on, panels of `rows` rows from the `first` on, as columns."""
    standing_alone()
    x, start, stride = source
    wide, register = lanes(x), tile_lanes(x)
    squares = columns // register * register
    for row in range(0, rows, register):
        panel = begin + row // wide * columns * wide + row % wide
        high = min(register, rows - row)
        at = start + (first + row) * stride
        for i in range(high):
            expect_row(source, first + row + AHEAD + i, columns)
        done = 0
        if high == register:
            for column in range(0, squares, register):
                transpose_square(x, at + column, stride, out, panel + column * wide, wide)
            done = squares
        for column in range(done, columns):
            to = panel + column * wide
            for i in range(high):
                out[to + i] = x[at + i * stride + column]
            for i in range(high, register):
                out[to + i] = 0.0
    if rows % wide and rows % wide <= wide - register:
        panel = begin + rows // wide * columns * wide
        for column in range(columns):
            for i in range((rows % wide + register - 1) // register * register, wide):
                out[panel + column * wide + i] = 0.0
