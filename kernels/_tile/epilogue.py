"""Epilogues: what is done to a block of C when its sums are complete."""

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from kernels._jit import jit
from kernels._simd import (
    Vector,
    lanes,
    llvm_vector,
    load,
    load_first,
    load_vector,
    maximum,
    pointer,
    store,
    store_first,
    store_vector,
)
from kernels._tile.registers import NR_REGISTERS, register_lanes, tile_lanes


@jit
def epilogue(bias, relu, rows, columns, c, start, step, column):
    """c[i, j] += bias[column + j], then max(., 0) where `relu`; NaN stays.

    bias         as long as a row of the whole C; empty, it adds nothing
    start, step  of c, flat: where the block begins, and from one of its rows to the next
    """
    if bias.size == 0 and not relu:
        return
    if bias.size and columns == NR_REGISTERS * tile_lanes(c):
        for at in range(start, start + rows * step, step):
            _finish_row(bias, column, c, at, relu)
        return
    wide = lanes(c)
    for at in range(start, start + rows * step, step):
        j = 0
        while j + wide <= columns:
            value = load(c, at + j)
            if bias.size:
                value += load(bias, column + j)
            store(c, at + j, maximum(value, 0.0) if relu else value)
            j += wide
        if j < columns:
            rest = columns - j
            value = load_first(c, at + j, rest, 0.0)
            if bias.size:
                value += load_first(bias, column + j, rest, 0.0)
            store_first(c, at + j, rest, maximum(value, 0.0) if relu else value)


@intrinsic
def _finish_row(typingctx, bias, bias_start, out, out_start, relu):
    """out += bias, then max(., 0) where `relu`; a row of a whole micro-tile."""

    def codegen(context, builder, sig, args):
        bias_, bias_start_, out_, out_start_, relu_ = args
        kind = llvm_vector(Vector(out.dtype, NR_REGISTERS * register_lanes(out)))
        align = out.dtype.bitwidth // 8
        shift = load_vector(
            builder, pointer(context, builder, bias, bias_, bias_start_), kind, align
        )
        target = pointer(context, builder, out, out_, out_start_)
        value = builder.fadd(load_vector(builder, target, kind, align), shift)
        zero = ir.Constant(kind, [0.0] * kind.count)
        above = builder.select(builder.fcmp_ordered("<", value, zero), zero, value)
        store_vector(builder, builder.select(relu_, above, value), target, align)
        return context.get_dummy_value()

    intp = types.intp
    return types.void(bias, intp, out, intp, types.boolean), codegen
