"""Tiles of dot products: both operands run along the sum, so nothing is packed."""

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from kernels._simd import (
    I32,
    I64,
    Vector,
    call,
    llvm_vector,
    load_vector,
    pointer,
    shuffle,
    suffix,
)
from kernels._tile.emit import Loop, address
from kernels._tile.registers import MR, NR_REGISTERS, register_lanes, zeros


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


def _dots(builder: Any, loop: Loop, a_rows: list, b_rows: list, kind: Any, align: int) -> list:
    """One step: the sums plus the products of every row of A with every row of B."""
    b_values = [load_vector(builder, builder.gep(row, [loop.index]), kind, align) for row in b_rows]
    updated = []
    for i, row in enumerate(a_rows):
        a_value = load_vector(builder, builder.gep(row, [loop.index]), kind, align)
        for j in range(NR_REGISTERS):
            operands = [a_value, b_values[j], loop.sums[i * NR_REGISTERS + j]]
            updated.append(call(builder, f"llvm.fma.{suffix(kind)}", kind, operands))
    return updated


def _add_dots(builder: Any, sums: list, c_base: Any, c_step: Any, widen: bool) -> None:
    totals = [_lane_sums(builder, sums[j::NR_REGISTERS]) for j in range(NR_REGISTERS)]
    for i in range(MR):
        row = address(builder, c_base, c_step, i)
        for j in range(NR_REGISTERS):
            total = totals[j][i]
            if widen:
                total = builder.fpext(total, ir.DoubleType())
            target = builder.gep(row, [I64(j)])
            builder.store(builder.fadd(builder.load(target), total), target)


@intrinsic
def dot_tile(typingctx, length, a, a_start, a_step, b, b_start, b_step, c, c_start, c_step):
    """c[i, j] += sum_p a[i, p] b[j, p] for MR rows of A and 3 rows of B.

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
        a_rows = [address(builder, a_base, a_step_, i) for i in range(MR)]
        b_rows = [address(builder, b_base, b_step_, j) for j in range(NR_REGISTERS)]
        loop = Loop(builder, length_, kind.count, zeros(kind, MR * NR_REGISTERS))
        sums = _dots(builder, loop, a_rows, b_rows, kind, align)
        loop.close(sums)
        _add_dots(builder, sums, c_base, c_step_, a.dtype != c.dtype)
        return context.get_dummy_value()

    intp = types.intp
    return types.void(intp, a, intp, intp, b, intp, intp, c, intp, intp), codegen
