"""The micro-kernel over matrices as they lie, from the sums to the finished output.

Nothing of A is packed, and edges need neither zeros nor masks: a row or register of columns
beyond the last one is the last one again, computed to the same bits, written to the same place.
"""

from numba.core import types
from numba.extending import intrinsic

from kernels._simd import I64, pointer
from kernels._tile import MR, NR_REGISTERS, register_lanes
from kernels._tile.emit import Emit, by_number

# Rows of a micro-tile by its width in registers: as many sums as hide the latency of an addition.
WIDTHS = 1, 2, 3, 6
ROWS = 0, 2 * MR, MR * NR_REGISTERS // 2, MR, 0, 0, MR // 2
MOST_SUMS = MR * NR_REGISTERS


@intrinsic
def direct_kernel(
    typingctx, registers, depth, a, a_place, b, b_place, stages, spare, bias, c, c_place
):
    """c[i, j] = sum_k a[i, k] b[k, j] over `depth` terms; 1, 2, 3 or 6 registers of columns.

    a_place  (start, step of i, step of k, last row), of ROWS[registers] at most
    b_place  (start, step of k, first column, where the last register starts)
    c_place  (start, step of i, first column, where the last register starts); of the bias too
    stages   (resume, finish, biased, rectified): whether the sums go on from those in `spare`,
             whether they end in C or in `spare`, and what is done to them on the way to C
    spare    MOST_SUMS registers
    """

    def codegen(context, builder, sig, args):
        (registers_, depth_, a_, a_place_, b_, b_place_, stages_, spare_, bias_, c_,
         c_place_) = args  # fmt: skip
        emit = Emit(builder, b.dtype, register_lanes(b))
        a_start, a_row, a_step, last_row = emit.fields(a_place_)
        b_start, b_step, b_first, b_last = emit.fields(b_place_)
        c_start, c_row, c_first, c_last = emit.fields(c_place_)
        resume, finish, biased, rectified = emit.fields(stages_)
        a_base = pointer(context, builder, a, a_, a_start)
        b_base = pointer(context, builder, b, b_, b_start)
        c_base = pointer(context, builder, c, c_, c_start)
        bias_base = pointer(context, builder, bias, bias_, I64(0))
        spare_base = pointer(context, builder, spare, spare_, I64(0))

        def of_width(count):
            rows = ROWS[count]
            kept = emit.beside(spare_base, rows * count)
            columns = emit.columns(c_first, c_last, count)

            def resumed(values):
                return [builder.fadd(k, v) for v, k in zip(values, emit.loaded(kept), strict=True)]

            def with_bias(values):
                shifts = [emit.load(builder.gep(bias_base, [column])) for column in columns]
                return [builder.fadd(v, shifts[k % count]) for k, v in enumerate(values)]

            a_rows = emit.rows(a_base, a_row, last_row, rows)
            b_columns = [
                builder.gep(b_base, [column]) for column in emit.columns(b_first, b_last, count)
            ]
            sums = emit.sums(depth_, a_rows, a_step, b_columns, b_step)
            sums = emit.where(resume, sums, resumed)
            with builder.if_else(finish) as (complete, partial):
                with complete:
                    values = emit.where(biased, sums, with_bias)
                    values = emit.where(rectified, values, emit.rectified)
                    c_rows = emit.rows(c_base, c_row, last_row, rows)
                    emit.store(values, [builder.gep(r, [j]) for r in c_rows for j in columns])
                with partial:
                    emit.store(sums, kept)

        by_number(builder, registers_, WIDTHS, of_width)
        return context.get_dummy_value()

    intp = types.intp
    place, flags = types.UniTuple(intp, 4), types.UniTuple(types.boolean, 4)
    return types.void(intp, intp, a, place, b, place, flags, spare, bias, c, place), codegen
