"""Copies between memory layouts: rows, transposed squares."""

from collections.abc import Callable
from typing import Any

from numba.core import cgutils, types
from numba.extending import intrinsic

from kernels._jit import jit
from kernels._simd import (
    I64,
    Vector,
    lanes,
    llvm_vector,
    load,
    load_first,
    load_vector,
    pointer,
    shuffle,
    store,
    store_first,
    store_vector,
)
from kernels._tile.emit import address
from kernels._tile.registers import MR, NR_REGISTERS, register_lanes


def _riffle(builder: Any, rows: list) -> Any:
    """One vector: lane 0 of every row, then lane 1 of every row, and so on."""
    if len(rows) == 1:
        return rows[0]
    even, odd = _riffle(builder, rows[0::2]), _riffle(builder, rows[1::2])
    count = even.type.count
    order = [lane + side * count for lane in range(count) for side in (0, 1)]
    return shuffle(builder, even, odd, order)


@intrinsic
def transpose_square(typingctx, source, start, row_step, out, out_start, out_step):
    """A square of register lanes, out[j, i] = source[i, j].

    For h = 1, 2, 4, ... each pair of rows i, i + h exchanges the lanes whose index lacks or has h.
    Rows are written in order, so that a later one may lie over the end of an earlier one.
    """
    side = register_lanes(source)
    kind = llvm_vector(Vector(source.dtype, side))
    align = source.dtype.bitwidth // 8

    def codegen(context, builder, sig, args):
        base = pointer(context, builder, source, args[0], args[1])
        target = pointer(context, builder, out, args[3], args[4])
        rows = [
            load_vector(builder, address(builder, base, args[2], i), kind, align)
            for i in range(side)
        ]
        h = 1
        while h < side:
            low = [lane if not lane & h else side + lane - h for lane in range(side)]
            high = [lane + h if not lane & h else side + lane for lane in range(side)]
            for i in range(side):
                if not i & h:
                    pair = rows[i], rows[i + h]
                    rows[i] = shuffle(builder, *pair, low)
                    rows[i + h] = shuffle(builder, *pair, high)
            h *= 2
        for j, row in enumerate(rows):
            store_vector(builder, row, address(builder, target, args[5], j), align)
        return context.get_dummy_value()

    intp = types.intp
    return types.void(source, intp, intp, out, intp, intp), codegen


@intrinsic
def transpose_rows(typingctx, source, start, row_step, out, out_start, out_step):
    """MR rows of one register each, out[j, i] = source[i, j]."""
    kind = llvm_vector(Vector(source.dtype, register_lanes(source)))
    align = source.dtype.bitwidth // 8

    def codegen(context, builder, sig, args):
        base = pointer(context, builder, source, args[0], args[1])
        target = pointer(context, builder, out, args[3], args[4])
        rows = [
            load_vector(builder, address(builder, base, args[2], i), kind, align) for i in range(MR)
        ]
        mixed = _riffle(builder, rows)
        for lane in range(kind.count):
            order = list(range(lane * MR, (lane + 1) * MR))
            column = shuffle(builder, mixed, None, order)
            store_vector(builder, column, address(builder, target, args[5], lane), align)
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
        count, width = args[4], I64(kind.count)

        def move(i):
            value = load_vector(builder, builder.gep(base, [i]), kind, align)
            store_vector(builder, value, builder.gep(target, [i]), align)

        with builder.if_else(builder.icmp_signed(">=", count, width)) as (long, short):
            with long:
                last = builder.sub(count, width)
                with cgutils.for_range_slice(builder, I64(0), last, width, inc=True) as (i, _):
                    move(i)
                move(last)
            with short, cgutils.for_range(builder, count) as loop:
                number = builder.load(builder.gep(base, [loop.index]))
                builder.store(number, builder.gep(target, [loop.index]))
        return context.get_dummy_value()

    intp = types.intp
    return types.void(source, intp, out, intp, intp), codegen


@intrinsic
def copy_tile_row(typingctx, source, start, out, out_start):
    """NR elements, a row of a packed panel of B."""
    codegen = _copy_whole(source, NR_REGISTERS * register_lanes(source))
    return types.void(source, types.intp, out, types.intp), codegen


@intrinsic
def copy_tile_column(typingctx, source, start, out, out_start):
    """MR elements, a row of a packed panel of A."""
    codegen = _copy_whole(source, MR)
    return types.void(source, types.intp, out, types.intp), codegen


def _copy_whole(source: types.Array, count: int) -> Callable:
    kind, align = llvm_vector(Vector(source.dtype, count)), source.dtype.bitwidth // 8

    def codegen(context: Any, builder: Any, sig: Any, args: tuple) -> Any:
        base = pointer(context, builder, sig.args[0], args[0], args[1])
        target = pointer(context, builder, sig.args[2], args[2], args[3])
        store_vector(builder, load_vector(builder, base, kind, align), target, align)
        return context.get_dummy_value()

    return codegen


@jit
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
