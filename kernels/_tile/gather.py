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

from kernels._simd import (
    I64,
    REGISTER_BYTES,
    Vector,
    call,
    llvm_vector,
    load_vector,
    pointer,
    repeat,
    shuffle,
    store_vector,
    suffix,
)
from kernels._tile.emit import Loop
from kernels._tile.registers import register_lanes, zeros

GATHER_ROWS = 6
GATHER_VECTORS = 2


def gather_columns(dtype: np.dtype) -> int:
    """The columns of a panel of B, which is as wide as a tile."""
    return GATHER_VECTORS * REGISTER_BYTES // dtype.itemsize


def _add_widened(builder: Any, value: Any, target: Any, wide: Any, align: int) -> None:
    """Add float32 lanes to float64 in memory, half a register at a time."""
    half = value.type.count // 2
    for side in (0, 1):
        part = shuffle(builder, value, None, list(range(side * half, (side + 1) * half)))
        part = builder.fpext(part, wide)
        place = builder.gep(target, [I64(side * half)])
        old = load_vector(builder, place, wide, align)
        store_vector(builder, builder.fadd(old, part), place, align)


def _write_sums(builder: Any, sums: list, c_base: Any, c: types.Array, add: Any) -> None:
    """Rows of sums one behind the other; always added where C is wider than the sums."""
    kind, align = sums[0].type, c.dtype.bitwidth // 8
    targets = [builder.gep(c_base, [I64(i * kind.count)]) for i in range(len(sums))]
    if isinstance(kind.element, ir.FloatType) and c.dtype == types.float64:
        wide = ir.VectorType(ir.DoubleType(), kind.count // 2)
        for value, target in zip(sums, targets, strict=True):
            _add_widened(builder, value, target, wide, align)
        return
    with builder.if_else(add) as (adding, writing):
        with adding:
            for value, target in zip(sums, targets, strict=True):
                old = load_vector(builder, target, kind, align)
                store_vector(builder, builder.fadd(old, value), target, align)
        with writing:
            for value, target in zip(sums, targets, strict=True):
                store_vector(builder, value, target, align)


@intrinsic
def gather_tile(
    typingctx, whole, depth, a, a_start, places, place, offsets, offset, b, b_start, c, c_start, add
):
    """c[i, j] = sum_k a[places[i] + offsets[k]] b[k, j], or += where `add`; depth >= 1.

    `whole` tiles have 2 registers of columns, others one. `places` and `offsets` (int64) are read
    from `place` and `offset` on, A is counted from `a_start`. Rows of B and of C are as long as
    the tile. A float64 C of float32 sums is always added to.
    """
    kind = llvm_vector(Vector(b.dtype, register_lanes(b)))

    def codegen(context, builder, sig, args):
        (whole_, depth_, a_, a_start_, places_, place_, offsets_, offset_, b_, b_start_, c_,
         c_start_, add_) = args  # fmt: skip
        a_base = pointer(context, builder, a, a_, a_start_)
        first = pointer(context, builder, places, places_, place_)
        table = pointer(context, builder, offsets, offsets_, offset_)
        b_base = pointer(context, builder, b, b_, b_start_)
        c_base = pointer(context, builder, c, c_, c_start_)
        rows = [
            builder.gep(a_base, [builder.load(builder.gep(first, [I64(i)]))])
            for i in range(GATHER_ROWS)
        ]
        with builder.if_else(whole_) as cases:
            for case, vectors in zip(cases, (GATHER_VECTORS, 1), strict=True):
                with case:
                    sums = _sum_products(builder, kind, vectors, depth_, rows, table, b_base)
                    _write_sums(builder, sums, c_base, c, add_)
        return context.get_dummy_value()

    intp, flag = types.intp, types.boolean
    signature = types.void(flag, intp, a, intp, places, intp, offsets, intp, b, intp, c, intp, flag)
    return signature, codegen


def _sum_products(
    builder: Any, kind: Any, vectors: int, depth: Any, rows: list, table: Any, b_base: Any
) -> list:
    align = 4 if isinstance(kind.element, ir.FloatType) else 8
    loop = Loop(builder, depth, 1, zeros(kind, GATHER_ROWS * vectors))
    offset = builder.load(builder.gep(table, [loop.index]))
    b_row = builder.gep(b_base, [builder.mul(loop.index, I64(vectors * kind.count))])
    b_values = [
        load_vector(builder, builder.gep(b_row, [I64(j * kind.count)]), kind, align)
        for j in range(vectors)
    ]
    updated = []
    for i, row in enumerate(rows):
        factor = repeat(builder, builder.load(builder.gep(row, [offset])), kind)
        for j in range(vectors):
            operands = [factor, b_values[j], loop.sums[i * vectors + j]]
            updated.append(call(builder, f"llvm.fma.{suffix(kind)}", kind, operands))
    loop.close(updated)
    return updated
