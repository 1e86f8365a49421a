"""Register tiles: the innermost loops of matrix products, as LLVM vector IR.

A tile is TILE_ROWS x 3 registers of sums. One step of its loop loads 3 registers of B and
TILE_ROWS numbers of A and makes 3 TILE_ROWS multiply-adds: on AVX2 7 loads and 12 fma, which
two load and two fma units run in 6 cycles, so it is bound by arithmetic. Positions are flat
element offsets, steps are in elements.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from kernels import _jit
from kernels._simd import (
    I32,
    I64,
    REGISTER_BYTES,
    Vector,
    call,
    lanes,
    llvm_vector,
    load,
    load_first,
    load_vector,
    pointer,
    repeat,
    shuffle,
    store,
    store_first,
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


class _Loop:
    """A counted loop under construction whose sums live in registers."""

    def __init__(self, builder: Any, count: Any, step: int, kind: Any, sums: int) -> None:
        self.builder, self.count, self.step = builder, count, step
        self.before = builder.block
        self.body = builder.append_basic_block("sum")
        self.after = builder.append_basic_block("summed")
        builder.branch(self.body)
        builder.position_at_end(self.body)
        self.index = builder.phi(I64)
        self.index.add_incoming(I64(0), self.before)
        self.sums = [builder.phi(kind) for _ in range(sums)]
        for phi in self.sums:
            phi.add_incoming(ir.Constant(kind, [0.0] * kind.count), self.before)

    def close(self, updated: list) -> None:
        following = self.builder.add(self.index, I64(self.step))
        self.index.add_incoming(following, self.body)
        for phi, value in zip(self.sums, updated, strict=True):
            phi.add_incoming(value, self.body)
        again = self.builder.icmp_signed("<", following, self.count)
        self.builder.cbranch(again, self.body, self.after)
        self.builder.position_at_end(self.after)


def _address(builder: Any, base: Any, step: Any, index: int) -> Any:
    return builder.gep(base, [builder.mul(step, I64(index))])


def _multiply_tile(typingctx, depth, a, a_start, b, b_start, b_step, c, c_start, c_step, add):
    def define(vectors: int) -> tuple:
        kind = llvm_vector(Vector(b.dtype, register_lanes(b)))
        lanes, align = kind.count, b.dtype.bitwidth // 8

        def codegen(context, builder, sig, args):
            depth_, a_, a_start_, b_, b_start_, b_step_, c_, c_start_, c_step_, add_ = args
            a_base = pointer(context, builder, a, a_, a_start_)
            b_base = pointer(context, builder, b, b_, b_start_)
            c_base = pointer(context, builder, c, c_, c_start_)
            loop = _Loop(builder, depth_, 1, kind, TILE_ROWS * vectors)
            b_row = builder.gep(b_base, [builder.mul(loop.index, b_step_)])
            a_row = builder.gep(a_base, [builder.mul(loop.index, I64(TILE_ROWS))])
            b_values = [
                load_vector(builder, builder.gep(b_row, [I64(j * lanes)]), kind, align)
                for j in range(vectors)
            ]
            updated = []
            for i in range(TILE_ROWS):
                number = builder.load(builder.gep(a_row, [I64(i)]))
                factor = repeat(builder, number, kind)
                for j in range(vectors):
                    operands = [factor, b_values[j], loop.sums[i * vectors + j]]
                    updated.append(call(builder, f"llvm.fma.{suffix(kind)}", kind, operands))
            loop.close(updated)
            targets = [
                builder.gep(_address(builder, c_base, c_step_, i), [I64(j * lanes)])
                for i in range(TILE_ROWS)
                for j in range(vectors)
            ]
            with builder.if_else(add_) as (adding, writing):
                with adding:
                    for value, target in zip(updated, targets, strict=True):
                        old = load_vector(builder, target, kind, align)
                        store_vector(builder, builder.fadd(old, value), target, align)
                with writing:
                    for value, target in zip(updated, targets, strict=True):
                        store_vector(builder, value, target, align)
            return context.get_dummy_value()

        intp = types.intp
        return types.void(intp, a, intp, b, intp, intp, c, intp, intp, types.boolean), codegen

    return define


@intrinsic
def multiply_tile_1(typingctx, depth, a, a_start, b, b_start, b_step, c, c_start, c_step, add):
    """As `multiply_tile_3` on one register of columns."""
    return _multiply_tile(
        typingctx, depth, a, a_start, b, b_start, b_step, c, c_start, c_step, add
    )(1)


@intrinsic
def multiply_tile_2(typingctx, depth, a, a_start, b, b_start, b_step, c, c_start, c_step, add):
    """As `multiply_tile_3` on two registers of columns."""
    return _multiply_tile(
        typingctx, depth, a, a_start, b, b_start, b_step, c, c_start, c_step, add
    )(2)


@intrinsic
def multiply_tile_3(typingctx, depth, a, a_start, b, b_start, b_step, c, c_start, c_step, add):
    """c[i, j] = sum_k a[k, i] b[k, j], or += where `add`; depth >= 1.

    A is packed (depth, TILE_ROWS); rows of B and of C lie `b_step` and `c_step` apart.
    """
    return _multiply_tile(
        typingctx, depth, a, a_start, b, b_start, b_step, c, c_start, c_step, add
    )(3)


def _lane_sums(builder: Any, values: list) -> list:
    """The sum over the lanes of each value: halves are folded, values share a register.

    Every step adds one half of each value's lanes to the other and lays two values side by
    side, until a register holds as many values as it can.
    """
    held = [(value, 1) for value in values]
    while len(held) > 1 and held[0][1] < held[0][0].type.count:
        held = [
            (_add_halves(builder, a, b, count), 2 * count)
            for (a, count), (b, _) in zip(held[0::2], held[1::2], strict=True)
        ]
    totals = []
    for value, count in held:
        while value.type.count > count:
            lanes = value.type.count // count
            low = [k * lanes + m for k in range(count) for m in range(lanes // 2)]
            high = [k + lanes // 2 for k in low]
            value = builder.fadd(
                shuffle(builder, value, None, low), shuffle(builder, value, None, high)
            )
        totals += [builder.extract_element(value, I32(k)) for k in range(count)]
    return totals


def _add_halves(builder: Any, a: Any, b: Any, count: int) -> Any:
    """Fold each of the `count` runs of lanes in a and in b to half its length."""
    lanes = a.type.count // count
    low = [k * lanes + m for k in range(2 * count) for m in range(lanes // 2)]
    high = [k + lanes // 2 for k in low]
    return builder.fadd(shuffle(builder, a, b, low), shuffle(builder, a, b, high))


@intrinsic
def dot_tile(typingctx, length, a, a_start, a_step, b, b_start, b_step, c, c_start, c_step):
    """c[i, j] += sum_p a[i, p] b[j, p] for TILE_ROWS rows of A and 3 rows of B.

    `length` is a multiple of the register's lanes. The lanes are summed in a fixed order; C
    may be float64 where A and B are float32.
    """
    kind = llvm_vector(Vector(a.dtype, register_lanes(a)))
    align = a.dtype.bitwidth // 8

    def codegen(context, builder, sig, args):
        length_, a_, a_start_, a_step_, b_, b_start_, b_step_, c_, c_start_, c_step_ = args
        a_base = pointer(context, builder, a, a_, a_start_)
        b_base = pointer(context, builder, b, b_, b_start_)
        c_base = pointer(context, builder, c, c_, c_start_)
        a_rows = [_address(builder, a_base, a_step_, i) for i in range(TILE_ROWS)]
        b_rows = [_address(builder, b_base, b_step_, j) for j in range(TILE_VECTORS)]
        loop = _Loop(builder, length_, kind.count, kind, TILE_ROWS * TILE_VECTORS)
        b_values = [
            load_vector(builder, builder.gep(row, [loop.index]), kind, align) for row in b_rows
        ]
        updated = []
        for i in range(TILE_ROWS):
            a_value = load_vector(builder, builder.gep(a_rows[i], [loop.index]), kind, align)
            for j in range(TILE_VECTORS):
                operands = [a_value, b_values[j], loop.sums[i * TILE_VECTORS + j]]
                updated.append(call(builder, f"llvm.fma.{suffix(kind)}", kind, operands))
        loop.close(updated)
        totals = [_lane_sums(builder, updated[j::TILE_VECTORS]) for j in range(TILE_VECTORS)]
        for i in range(TILE_ROWS):
            row = _address(builder, c_base, c_step_, i)
            for j in range(TILE_VECTORS):
                total = totals[j][i]
                if a.dtype != c.dtype:
                    total = builder.fpext(total, ir.DoubleType())
                target = builder.gep(row, [I64(j)])
                builder.store(builder.fadd(builder.load(target), total), target)
        return context.get_dummy_value()

    intp = types.intp
    return types.void(intp, a, intp, intp, b, intp, intp, c, intp, intp), codegen


def _riffle(builder: Any, rows: list) -> Any:
    """One vector: lane 0 of every row, then lane 1 of every row, and so on."""
    if len(rows) == 1:
        return rows[0]
    even, odd = _riffle(builder, rows[0::2]), _riffle(builder, rows[1::2])
    count = even.type.count
    order = [lane + side * count for lane in range(count) for side in (0, 1)]
    return shuffle(builder, even, odd, order)


def _transposing_copy(context, builder, source, out, args, rows: int) -> None:
    source_, start, row_step, out_, out_start, out_step = args
    kind = llvm_vector(Vector(source.dtype, register_lanes(source)))
    align = source.dtype.bitwidth // 8
    base = pointer(context, builder, source, source_, start)
    target = pointer(context, builder, out, out_, out_start)
    loaded = [
        load_vector(builder, _address(builder, base, row_step, i), kind, align) for i in range(rows)
    ]
    mixed = _riffle(builder, loaded)
    for lane in range(kind.count):
        column = shuffle(builder, mixed, None, list(range(lane * rows, (lane + 1) * rows)))
        store_vector(builder, column, _address(builder, target, out_step, lane), align)


@intrinsic
def transpose_square(typingctx, source, start, row_step, out, out_start, out_step):
    """A square of register lanes, out[j, i] = source[i, j]."""

    def codegen(context, builder, sig, args):
        _transposing_copy(context, builder, source, out, args, register_lanes(source))
        return context.get_dummy_value()

    intp = types.intp
    return types.void(source, intp, intp, out, intp, intp), codegen


@intrinsic
def transpose_rows(typingctx, source, start, row_step, out, out_start, out_step):
    """TILE_ROWS rows of one register each, out[j, i] = source[i, j]."""

    def codegen(context, builder, sig, args):
        _transposing_copy(context, builder, source, out, args, TILE_ROWS)
        return context.get_dummy_value()

    intp = types.intp
    return types.void(source, intp, intp, out, intp, intp), codegen


@intrinsic
def copy(typingctx, source, start, out, out_start, count):
    """out[...] = source[...], `count` elements: registers, the last one overlapping."""
    kind = llvm_vector(Vector(source.dtype, register_lanes(source)))
    align = source.dtype.bitwidth // 8

    def codegen(context, builder, sig, args):
        base = pointer(context, builder, source, args[0], args[1])
        target = pointer(context, builder, out, args[2], args[3])
        count_, width = args[4], I64(kind.count)
        with builder.if_else(builder.icmp_signed(">=", count_, width)) as (long, short):
            with long:
                last = builder.sub(count_, width)
                with cgutils.for_range_slice(builder, I64(0), last, width, inc=True) as (i, _):
                    value = load_vector(builder, builder.gep(base, [i]), kind, align)
                    store_vector(builder, value, builder.gep(target, [i]), align)
                value = load_vector(builder, builder.gep(base, [last]), kind, align)
                store_vector(builder, value, builder.gep(target, [last]), align)
            with short, cgutils.for_range(builder, count_) as loop:
                number = builder.load(builder.gep(base, [loop.index]))
                builder.store(number, builder.gep(target, [loop.index]))
        return context.get_dummy_value()

    intp = types.intp
    return types.void(source, intp, out, intp, intp), codegen


@_jit.jit
def accumulate(source, start, out, out_start, count):
    """out[...] += source[...], `count` elements."""
    step = lanes(out)
    i = 0
    while i + step <= count:
        store(out, out_start + i, load(out, out_start + i) + load(source, start + i))
        i += step
    if i < count:
        rest = count - i
        added = load_first(source, start + i, rest, 0.0)
        store_first(out, out_start + i, rest, load_first(out, out_start + i, rest, 0.0) + added)


@_jit.jit
def multiply_block(
    depth, rows, columns, a, a_start, b, b_start, b_step, b_panel, c, c_start, c_step, add, spare
):
    """C (rows x columns) = A B, or += where `add`.

    a      row blocks of (depth, TILE_ROWS), zeros below the last row
    b      panels of 3 registers of columns, `b_panel` apart; rows `b_step` apart; readable
           up to a whole register beyond the last column
    spare  (TILE_ROWS, 3 registers) scratch for tiles that reach over the edge of C
    """
    register = tile_lanes(b)
    width = TILE_VECTORS * register
    for first_column in range(0, columns, width):
        wide = min(width, columns - first_column)
        b_from = b_start + first_column // width * b_panel
        for first_row in range(0, rows, TILE_ROWS):
            high = min(TILE_ROWS, rows - first_row)
            a_from = a_start + first_row * depth
            c_from = c_start + first_row * c_step + first_column
            if high == TILE_ROWS and wide == width:
                multiply_tile_3(depth, a, a_from, b, b_from, b_step, c, c_from, c_step, add)
                continue
            if wide > 2 * register:
                multiply_tile_3(depth, a, a_from, b, b_from, b_step, spare, 0, width, False)
            elif wide > register:
                multiply_tile_2(depth, a, a_from, b, b_from, b_step, spare, 0, width, False)
            else:
                multiply_tile_1(depth, a, a_from, b, b_from, b_step, spare, 0, width, False)
            for i in range(high):
                to = c_from + i * c_step
                if add:
                    accumulate(spare, i * width, c, to, wide)
                else:
                    copy(spare, i * width, c, to, wide)
