"""Register tiles: the innermost loops of matrix products, as LLVM vector IR.

A tile is TILE_ROWS x 3 registers of sums. One step of its loop loads 3 registers of B and
TILE_ROWS numbers of A and makes 3 TILE_ROWS multiply-adds: on AVX2 7 loads and 12 fma, which
two load and two fma units run in 6 cycles, so it is bound by arithmetic. Positions are flat
element offsets, steps are in elements.
"""

from collections.abc import Callable
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
    store_vector,
    suffix,
)

# 12 sums, 3 of B and 1 of A fill the 16 registers of AVX2; AVX-512 has 32.
TILE_ROWS = 8 if REGISTER_BYTES == 64 else 4
TILE_VECTORS = 3


def register_lanes(array: types.Array) -> int:
    return REGISTER_BYTES * 8 // array.dtype.bitwidth


def panel_columns(dtype: np.dtype) -> int:
    """The columns of a panel, which is as wide as a tile."""
    return TILE_VECTORS * REGISTER_BYTES // dtype.itemsize


@intrinsic
def tile_lanes(typingctx, array):
    """How many elements of `array` one register holds."""

    def codegen(context, builder, sig, args):
        return I64(register_lanes(array))

    return types.intp(array), codegen


class Loop:
    """A counted loop under construction whose sums live in registers, from `initial` on."""

    def __init__(self, builder: Any, count: Any, step: int, initial: list) -> None:
        self.builder, self.count, self.step = builder, count, step
        self.before = builder.block
        self.body = builder.append_basic_block("sum")
        self.after = builder.append_basic_block("summed")
        builder.branch(self.body)
        builder.position_at_end(self.body)
        self.index = builder.phi(I64)
        self.index.add_incoming(I64(0), self.before)
        self.sums = [builder.phi(value.type) for value in initial]
        for phi, value in zip(self.sums, initial, strict=True):
            phi.add_incoming(value, self.before)

    def close(self, updated: list) -> None:
        following = self.builder.add(self.index, I64(self.step))
        self.index.add_incoming(following, self.body)
        for phi, value in zip(self.sums, updated, strict=True):
            phi.add_incoming(value, self.body)
        again = self.builder.icmp_signed("<", following, self.count)
        self.builder.cbranch(again, self.body, self.after)
        self.builder.position_at_end(self.after)


def zeros(kind: Any, count: int) -> list:
    """Sums of which nothing is known yet."""
    return [ir.Constant(kind, [0.0] * kind.count)] * count


def address(builder: Any, base: Any, step: Any, index: int) -> Any:
    return builder.gep(base, [builder.mul(step, I64(index))])


def _sum_products(builder: Any, kind: Any, align: int, loop: Loop, a_base: Any, b_row: Any) -> list:
    """One step: the sums plus TILE_ROWS numbers of A times the registers at `b_row`."""
    vectors = len(loop.sums) // TILE_ROWS
    a_row = builder.gep(a_base, [builder.mul(loop.index, I64(TILE_ROWS))])
    b_values = [
        load_vector(builder, builder.gep(b_row, [I64(j * kind.count)]), kind, align)
        for j in range(vectors)
    ]
    updated = []
    for i in range(TILE_ROWS):
        factor = repeat(builder, builder.load(builder.gep(a_row, [I64(i)])), kind)
        for j in range(vectors):
            operands = [factor, b_values[j], loop.sums[i * vectors + j]]
            updated.append(call(builder, f"llvm.fma.{suffix(kind)}", kind, operands))
    return updated


def _write_sums(
    builder: Any, kind: Any, align: int, sums: list, c_base: Any, c_step: Any, add: Any
) -> None:
    vectors = len(sums) // TILE_ROWS
    targets = [
        builder.gep(address(builder, c_base, c_step, i), [I64(j * kind.count)])
        for i in range(TILE_ROWS)
        for j in range(vectors)
    ]
    with builder.if_else(add) as (adding, writing):
        with adding:
            for value, target in zip(sums, targets, strict=True):
                old = load_vector(builder, target, kind, align)
                store_vector(builder, builder.fadd(old, value), target, align)
        with writing:
            for value, target in zip(sums, targets, strict=True):
                store_vector(builder, value, target, align)


def _multiply_tile(vectors: int) -> Callable:
    """c[i, j] = sum_k a[k, i] b[k, j], or += where `add`; depth >= 1.

    A is packed (depth, TILE_ROWS); rows of B and of C lie `b_step` and `c_step` apart, the tile is
    `vectors` registers wide.
    """

    def typing(typingctx, depth, a, a_start, b, b_start, b_step, c, c_start, c_step, add):
        kind = llvm_vector(Vector(b.dtype, register_lanes(b)))
        align = b.dtype.bitwidth // 8

        def codegen(context, builder, sig, args):
            depth_, a_, a_start_, b_, b_start_, b_step_, c_, c_start_, c_step_, add_ = args
            a_base = pointer(context, builder, a, a_, a_start_)
            b_base = pointer(context, builder, b, b_, b_start_)
            c_base = pointer(context, builder, c, c_, c_start_)
            loop = Loop(builder, depth_, 1, zeros(kind, TILE_ROWS * vectors))
            b_row = builder.gep(b_base, [builder.mul(loop.index, b_step_)])
            sums = _sum_products(builder, kind, align, loop, a_base, b_row)
            loop.close(sums)
            _write_sums(builder, kind, align, sums, c_base, c_step_, add_)
            return context.get_dummy_value()

        intp = types.intp
        return types.void(intp, a, intp, b, intp, intp, c, intp, intp, types.boolean), codegen

    return typing


multiply_tile_1, multiply_tile_2, multiply_tile_3 = (
    intrinsic(_multiply_tile(registers)) for registers in (1, 2, 3)
)
