"""Tiles whose left operand is read number by number, from wherever two tables point.

A tile is GATHER_ROWS x 2 registers of sums. A step loads 2 registers of B and GATHER_ROWS
numbers of A and makes 12 multiply-adds: 8 loads and 12 fma, which two load and two fma units
run in 6 cycles. Nothing is laid out for A: its numbers may overlap, or lie a stride apart.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from kernels._simd import I64, REGISTER_BYTES, load_vector, pointer, shuffle, store_vector
from kernels._tile.emit import Emit, by_number
from kernels._tile.registers import register_lanes

GATHER_ROWS = 6
GATHER_VECTORS = 2


def gather_columns(dtype: np.dtype) -> int:
    """The columns of a panel of B, which is as wide as a tile."""
    return GATHER_VECTORS * REGISTER_BYTES // dtype.itemsize


@intrinsic
def gather_tile(
    typingctx, registers, depth, a, a_start, places, place, offsets, offset, b, b_start, c, c_start,
    add,
):  # fmt: skip
    """c[i, j] = sum_k a[places[i] + offsets[k]] b[k, j], or += where `add`; depth >= 1.

    registers  1 or 2 of columns; rows of B and of C are as long

    `places` and `offsets` (int64) are read from `place` and `offset` on, A is counted from
    `a_start`. A float64 C of float32 sums is always added to.
    """

    def codegen(context, builder, sig, args):
        (registers_, depth_, a_, a_start_, places_, place_, offsets_, offset_, b_, b_start_, c_,
         c_start_, add_) = args  # fmt: skip
        emit = Emit(builder, b.dtype, register_lanes(b))
        a_base = pointer(context, builder, a, a_, a_start_)
        first = pointer(context, builder, places, places_, place_)
        table = pointer(context, builder, offsets, offsets_, offset_)
        b_base = pointer(context, builder, b, b_, b_start_)
        c_base = pointer(context, builder, c, c_, c_start_)
        rows = [
            builder.gep(a_base, [builder.load(builder.gep(first, [I64(i)]))])
            for i in range(GATHER_ROWS)
        ]

        def offset_of(k):
            return builder.load(builder.gep(table, [k]))

        def of_width(count):
            columns, length = emit.beside(b_base, count), I64(count * emit.kind.count)
            sums = emit.sums(depth_, rows, offset_of, columns, length)
            targets = emit.beside(c_base, len(sums))
            if c.dtype.bitwidth > b.dtype.bitwidth:
                for value, target in zip(sums, targets, strict=True):
                    _add_widened(builder, value, target)
            else:
                emit.store_or_add(sums, targets, add_)

        by_number(builder, registers_, tuple(range(1, GATHER_VECTORS + 1)), of_width)
        return context.get_dummy_value()

    intp, flag = types.intp, types.boolean
    signature = types.void(intp, intp, a, intp, places, intp, offsets, intp, b, intp, c, intp, flag)
    return signature, codegen


def _add_widened(builder: Any, value: Any, target: Any) -> None:
    """Add float32 lanes to float64 in memory, half a register at a time."""
    half = value.type.count // 2
    wide, align = ir.VectorType(ir.DoubleType(), half), 8
    for side in (0, 1):
        part = shuffle(builder, value, None, list(range(side * half, (side + 1) * half)))
        place = builder.gep(target, [I64(side * half)])
        old = load_vector(builder, place, wide, align)
        store_vector(builder, builder.fadd(old, builder.fpext(part, wide)), place, align)
