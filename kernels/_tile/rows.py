"""Tiles over rows of A as they lie, times panels of B; the sum goes on from C term by term.

So it does not matter to a bit of the result how the sum over k is cut, nor which of these tiles
computes it: c = (c + a[0] b[0]) + a[1] b[1] + ... A panel is a value's columns, 2 registers.
"""

from collections.abc import Callable

from numba.core import types
from numba.extending import intrinsic

from kernels._simd import I64, pointer
from kernels._tile.emit import Emit
from kernels._tile.products import TILE_ROWS, TILE_VECTORS, address, register_lanes, zeros

# Rows of the three tiles: on AVX2 12, 10 and 8 sums, 2 registers of B, 1 of A.
ROWS_HIGH = TILE_ROWS * TILE_VECTORS // 2
ROWS_MIDDLE, ROWS_LOW = ROWS_HIGH * 5 // 6, ROWS_HIGH * 4 // 6

# Panels of the tile of one row.
WIDE_PANELS = 4

_PANEL = 2


def _row_tile(rows: int) -> Callable:
    """c[i, j] = sum_k a[i, k] b[k, j], or += where `add`; `rows` rows of one panel.

    depth    terms, at least 1
    a_place  (start, step of i, step of k, last row); rows beyond the last are the last again
    b        rows of the panel one behind the other, from `b_start` on
    c_place  (start, step of i)
    """

    def typing(typingctx, depth, a, a_place, b, b_start, c, c_place, add):
        def codegen(context, builder, sig, args):
            emit = Emit(builder, b.dtype, register_lanes(b))
            depth_, a_, a_place_, b_, b_start_, c_, c_place_, add_ = args
            a_start, a_row, a_step, last = emit.fields(a_place_)
            c_start, c_row = (builder.extract_value(c_place_, k) for k in range(2))
            lanes = emit.kind.count
            a_base = pointer(context, builder, a, a_, a_start)
            b_base = pointer(context, builder, b, b_, b_start_)
            c_base = pointer(context, builder, c, c_, c_start)
            targets = [
                builder.gep(row, [I64(j * lanes)])
                for row in emit.rows(c_base, c_row, last, rows)
                for j in range(_PANEL)
            ]
            b_columns = [builder.gep(b_base, [I64(j * lanes)]) for j in range(_PANEL)]
            a_rows = emit.rows(a_base, a_row, last, rows)
            initial = emit.where(
                add_, zeros(emit.kind, rows * _PANEL), lambda _: [emit.load(at) for at in targets]
            )
            sums = emit.sums(depth_, a_rows, a_step, b_columns, I64(_PANEL * lanes), initial)
            emit.store(sums, targets)
            return context.get_dummy_value()

        intp = types.intp
        a_kind, c_kind = types.UniTuple(intp, 4), types.UniTuple(intp, 2)
        return types.void(intp, a, a_kind, b, intp, c, c_kind, types.boolean), codegen

    return typing


row_tile_high, row_tile_middle, row_tile_low = (
    intrinsic(_row_tile(rows)) for rows in (ROWS_HIGH, ROWS_MIDDLE, ROWS_LOW)
)


@intrinsic
def wide_tile(typingctx, depth, a, a_start, b, b_place, c, c_place, add):
    """c[j] = sum_k a[k] b[k, j], or += where `add`; one row of WIDE_PANELS panels.

    b_place, c_place  (start, step from panel to panel)

    8 registers of B and one number of A a step: bound by reading B.
    """

    def codegen(context, builder, sig, args):
        emit = Emit(builder, b.dtype, register_lanes(b))
        depth_, a_, a_start_, b_, b_place_, c_, c_place_, add_ = args
        b_start, b_step = (builder.extract_value(b_place_, k) for k in range(2))
        c_start, c_step = (builder.extract_value(c_place_, k) for k in range(2))
        lanes = emit.kind.count
        a_row = pointer(context, builder, a, a_, a_start_)
        b_base = pointer(context, builder, b, b_, b_start)
        c_base = pointer(context, builder, c, c_, c_start)
        places = [(panel, j * lanes) for panel in range(WIDE_PANELS) for j in range(_PANEL)]
        b_columns, targets = (
            [builder.gep(address(builder, base, step, panel), [I64(j)]) for panel, j in places]
            for base, step in ((b_base, b_step), (c_base, c_step))
        )
        initial = emit.where(
            add_, zeros(emit.kind, len(places)), lambda _: [emit.load(at) for at in targets]
        )
        sums = emit.sums(depth_, [a_row], I64(1), b_columns, I64(_PANEL * lanes), initial)
        emit.store(sums, targets)
        return context.get_dummy_value()

    intp = types.intp
    place = types.UniTuple(intp, 2)
    return types.void(intp, a, intp, b, place, c, place, types.boolean), codegen
