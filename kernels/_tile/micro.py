"""Micro-kernels: the innermost loops of matrix products, whose sums stay in registers.

A step of `micro_kernel` loads 3 registers of B and MR numbers of A and makes 3 MR multiply-adds:
with AVX2 7 loads and 12 fma, which two load and two fma units run in 6 cycles, so it is bound by
arithmetic. Positions are flat element offsets, steps are in elements.

A micro-kernel over rows takes A as it lies, and its sums go on from C term by term. So it does not
matter to a bit of the result how the sum over k is cut, nor which height computes it:
c = (c + a[0] b[0]) + a[1] b[1] + ... Its panel of B is a value's columns, 2 registers.
"""

from typing import Any

from numba.core import types
from numba.extending import intrinsic

from kernels._simd import I64, pointer
from kernels._tile.emit import Emit, address, by_number, first_that_holds
from kernels._tile.registers import MR, NR_REGISTERS, register_lanes

# Rows of the micro-kernel over rows: with AVX2 12, 10 and 8 sums, 2 registers of B, 1 of A.
ROWS_HIGH = MR * NR_REGISTERS // 2
ROWS_MIDDLE, ROWS_LOW = ROWS_HIGH * 5 // 6, ROWS_HIGH * 4 // 6

# Panels of the micro-kernel over one row.
WIDE_PANELS = 4

_PANEL = 2


@intrinsic
def micro_kernel(
    typingctx, registers, depth, a, a_start, b, b_start, b_step, c, c_start, c_step, add
):
    """c[i, j] = sum_k a[k, i] b[k, j], or += where `add`; MR rows, 1 to 3 registers of columns.

    depth           terms, at least 1
    a               a packed panel (depth, MR)
    b_step, c_step  from one row of B and of C to the next
    """

    def codegen(context, builder, sig, args):
        def of_width(count):
            compute_micro_tile(context, builder, (a, b, c), args[1:], count)

        by_number(builder, args[0], tuple(range(1, NR_REGISTERS + 1)), of_width)
        return context.get_dummy_value()

    intp = types.intp
    return types.void(intp, intp, a, intp, b, intp, intp, c, intp, intp, types.boolean), codegen


def compute_micro_tile(context: Any, builder: Any, kinds: tuple, values: tuple, width: int) -> None:
    """The code of `micro_kernel` at one width."""
    depth, a, a_start, b, b_start, b_step, c, c_start, c_step, add = values
    emit = Emit(builder, kinds[1].dtype, register_lanes(kinds[1]))
    a_base = pointer(context, builder, kinds[0], a, a_start)
    b_base = pointer(context, builder, kinds[1], b, b_start)
    c_base = pointer(context, builder, kinds[2], c, c_start)
    numbers = [builder.gep(a_base, [I64(i)]) for i in range(MR)]
    sums = emit.sums(depth, numbers, I64(MR), emit.beside(b_base, width), b_step)
    rows = [address(builder, c_base, c_step, i) for i in range(MR)]
    emit.store_or_add(sums, [at for row in rows for at in emit.beside(row, width)], add)


@intrinsic
def rows_kernel(typingctx, depth, a, a_place, b, b_start, c, c_place, add):
    """c[i, j] = sum_k a[i, k] b[k, j], or += where `add`; up to ROWS_HIGH rows, one panel.

    depth    terms, at least 1
    a_place  (start, step of i, step of k, last row); the least of three heights that holds it
             computes, and writes, rows beyond the last as the last again
    b        rows of the panel one behind the other, from `b_start` on
    c_place  (start, step of i)
    """

    def codegen(context, builder, sig, args):
        last = builder.extract_value(args[2], 3)

        def of_height(rows):
            return lambda: compute_rows(context, builder, (a, b, c), args, rows)

        heights = [
            (builder.icmp_signed(">=", last, I64(ROWS_MIDDLE)), of_height(ROWS_HIGH)),
            (builder.icmp_signed(">=", last, I64(ROWS_LOW)), of_height(ROWS_MIDDLE)),
        ]
        first_that_holds(builder, heights, of_height(ROWS_LOW))
        return context.get_dummy_value()

    intp = types.intp
    a_kind, c_kind = types.UniTuple(intp, 4), types.UniTuple(intp, 2)
    return types.void(intp, a, a_kind, b, intp, c, c_kind, types.boolean), codegen


def compute_rows(context: Any, builder: Any, kinds: tuple, values: tuple, rows: int) -> None:
    """The code of `rows_kernel` at one height."""
    depth, a, a_place, b, b_start, c, c_place, add = values
    emit = Emit(builder, kinds[1].dtype, register_lanes(kinds[1]))
    a_start, a_row, a_step, last = emit.fields(a_place)
    c_start, c_row = emit.fields(c_place)
    a_base = pointer(context, builder, kinds[0], a, a_start)
    b_base = pointer(context, builder, kinds[1], b, b_start)
    c_base = pointer(context, builder, kinds[2], c, c_start)
    targets = [
        at for row in emit.rows(c_base, c_row, last, rows) for at in emit.beside(row, _PANEL)
    ]
    columns, step = emit.beside(b_base, _PANEL), I64(_PANEL * emit.kind.count)
    a_rows = emit.rows(a_base, a_row, last, rows)
    initial = emit.from_memory(add, targets)
    emit.store(emit.sums(depth, a_rows, a_step, columns, step, initial), targets)


@intrinsic
def row_kernel(typingctx, depth, a, a_start, b, b_place, c, c_place, add):
    """c[j] = sum_k a[k] b[k, j], or += where `add`; one row, WIDE_PANELS panels.

    b_place, c_place  (start, step from panel to panel)

    8 registers of B and one number of A a step: bound by reading B.
    """

    def codegen(context, builder, sig, args):
        depth_, a_, a_start_, b_, b_place_, c_, c_place_, add_ = args
        emit = Emit(builder, b.dtype, register_lanes(b))
        (b_start, b_step), (c_start, c_step) = emit.fields(b_place_), emit.fields(c_place_)
        a_row = pointer(context, builder, a, a_, a_start_)
        b_columns, targets = (
            [
                at
                for panel in range(WIDE_PANELS)
                for at in emit.beside(address(builder, base, step, panel), _PANEL)
            ]
            for base, step in (
                (pointer(context, builder, b, b_, b_start), b_step),
                (pointer(context, builder, c, c_, c_start), c_step),
            )
        )
        initial = emit.from_memory(add_, targets)
        step = I64(_PANEL * emit.kind.count)
        emit.store(emit.sums(depth_, [a_row], I64(1), b_columns, step, initial), targets)
        return context.get_dummy_value()

    intp = types.intp
    place = types.UniTuple(intp, 2)
    return types.void(intp, a, intp, b, place, c, place, types.boolean), codegen
