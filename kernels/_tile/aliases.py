"""Names that others still use for what this house now calls otherwise."""

from collections.abc import Callable

from numba.core import types
from numba.extending import intrinsic

from kernels._tile.macro import macro_kernel
from kernels._tile.micro import (
    ROWS_HIGH,
    ROWS_LOW,
    ROWS_MIDDLE,
    compute_micro_tile,
    compute_rows,
)
from kernels._tile.registers import MR, NR_REGISTERS

TILE_ROWS, TILE_VECTORS = MR, NR_REGISTERS
multiply_block = macro_kernel


def _of_width(width: int) -> Callable:
    def typing(typingctx, depth, a, a_start, b, b_start, b_step, c, c_start, c_step, add):
        def codegen(context, builder, sig, args):
            compute_micro_tile(context, builder, (a, b, c), args, width)
            return context.get_dummy_value()

        intp = types.intp
        return types.void(intp, a, intp, b, intp, intp, c, intp, intp, types.boolean), codegen

    return typing


def _of_height(rows: int) -> Callable:
    def typing(typingctx, depth, a, a_place, b, b_start, c, c_place, add):
        def codegen(context, builder, sig, args):
            compute_rows(context, builder, (a, b, c), args, rows)
            return context.get_dummy_value()

        intp = types.intp
        a_kind, c_kind = types.UniTuple(intp, 4), types.UniTuple(intp, 2)
        return types.void(intp, a, a_kind, b, intp, c, c_kind, types.boolean), codegen

    return typing


multiply_tile_1, multiply_tile_2, multiply_tile_3 = (
    intrinsic(_of_width(width)) for width in (1, 2, 3)
)
row_tile_high, row_tile_middle, row_tile_low = (
    intrinsic(_of_height(rows)) for rows in (ROWS_HIGH, ROWS_MIDDLE, ROWS_LOW)
)
