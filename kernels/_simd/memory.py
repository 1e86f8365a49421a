"""Loads and stores; positions are flat element offsets into C-contiguous arrays."""

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from kernels._simd.vector import (
    I32,
    I64,
    REGISTER_BYTES,
    Vector,
    alignment,
    as_vector,
    call,
    convert,
    llvm_vector,
    load_vector,
    pointer,
    repeat,
    store_vector,
    suffix,
    value_lanes,
)


@intrinsic
def lanes(typingctx, array):
    """How many elements of `array` one value holds; a constant to the compiler."""

    def codegen(context, builder, sig, args):
        return I64(value_lanes(array))

    return types.intp(array), codegen


@intrinsic
def load(typingctx, array, start):
    """The `lanes(array)` elements from `start` on."""
    vector = Vector(array.dtype, value_lanes(array))

    def codegen(context, builder, sig, args):
        address = pointer(context, builder, array, *args)
        return load_vector(builder, address, llvm_vector(vector), alignment(array.dtype))

    return vector(array, types.intp), codegen


@intrinsic
def store(typingctx, array, start, value):
    """Write a value to the elements from `start` on; a number is repeated."""
    vector = value if isinstance(value, Vector) else Vector(array.dtype, value_lanes(array))
    if vector.element != array.dtype:
        return None

    def codegen(context, builder, sig, args):
        values = as_vector(context, builder, args[2], sig.args[2], vector)
        address = pointer(context, builder, array, args[0], args[1])
        store_vector(builder, values, address, alignment(array.dtype))
        return context.get_dummy_value()

    return types.void(array, types.intp, value), codegen


@intrinsic
def stream(typingctx, array, start, value):
    """Like `store`, past the caches; `start` must lie on a multiple of the value's size."""
    if not isinstance(value, Vector) or value.element != array.dtype:
        return None

    def codegen(context, builder, sig, args):
        address = pointer(context, builder, array, args[0], args[1])
        address = builder.bitcast(address, args[2].type.as_pointer())
        written = builder.store(args[2], address, align=REGISTER_BYTES)
        written.set_metadata("nontemporal", builder.module.add_metadata([I32(1)]))
        return context.get_dummy_value()

    return types.void(array, types.intp, value), codegen


def _first_lanes(builder: Any, count: Any, total: int) -> Any:
    index = ir.VectorType(I32, total)
    limit = repeat(builder, builder.trunc(count, I32), index)
    return builder.icmp_signed("<", ir.Constant(index, list(range(total))), limit)


@intrinsic
def first(typingctx, array, count):
    """A mask for values of `array` that is true in the first `count` lanes."""
    mask = Vector(types.boolean, value_lanes(array))

    def codegen(context, builder, sig, args):
        return _first_lanes(builder, args[1], mask.lanes)

    return mask(array, types.intp), codegen


@intrinsic
def load_first(typingctx, array, start, count, fill):
    """The first `count` lanes from memory, which alone is touched; `fill` in the others."""
    vector = Vector(array.dtype, value_lanes(array))

    def codegen(context, builder, sig, args):
        kind = llvm_vector(vector)
        address = pointer(context, builder, array, args[0], args[1])
        address = builder.bitcast(address, kind.as_pointer())
        mask = _first_lanes(builder, args[2], vector.lanes)
        rest = as_vector(context, builder, args[3], sig.args[3], vector)
        align = I32(alignment(array.dtype))
        name = f"llvm.masked.load.{suffix(kind)}.p0"
        return call(builder, name, kind, [address, align, mask, rest])

    return vector(array, types.intp, types.intp, fill), codegen


@intrinsic
def store_first(typingctx, array, start, count, value):
    """Write the first `count` lanes; memory beyond them is not touched."""
    if not isinstance(value, Vector) or value.element != array.dtype:
        return None

    def codegen(context, builder, sig, args):
        kind = llvm_vector(value)
        address = pointer(context, builder, array, args[0], args[1])
        address = builder.bitcast(address, kind.as_pointer())
        mask = _first_lanes(builder, args[2], value.lanes)
        align = I32(alignment(array.dtype))
        name = f"llvm.masked.store.{suffix(kind)}.p0"
        call(builder, name, ir.VoidType(), [args[3], address, align, mask])
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, value), codegen


@intrinsic
def load_as(typingctx, array, start, like):
    """As many elements as a value of the array `like` holds, converted to its type."""
    source = Vector(array.dtype, value_lanes(like))
    target = Vector(like.dtype, value_lanes(like))

    def codegen(context, builder, sig, args):
        address = pointer(context, builder, array, args[0], args[1])
        values = load_vector(builder, address, llvm_vector(source), alignment(array.dtype))
        return convert(builder, values, source, target)

    return target(array, types.intp, like), codegen


@intrinsic
def store_as(typingctx, array, start, value):
    """Write a value converted to the type of `array`."""
    target = Vector(array.dtype, value.lanes)

    def codegen(context, builder, sig, args):
        values = convert(builder, args[2], value, target)
        address = pointer(context, builder, array, args[0], args[1])
        store_vector(builder, values, address, alignment(array.dtype))
        return context.get_dummy_value()

    return types.void(array, types.intp, value), codegen


@intrinsic
def store_bits(typingctx, array, start, mask):
    """Write a mask as bits, lane 0 lowest; `start` counts bits, in multiples of 8.

    For values of at least 8 lanes: less cannot be written without reading its neighbours.
    """
    if array.dtype != types.uint8 or mask.element != types.boolean or mask.lanes < 8:
        return None

    def codegen(context, builder, sig, args):
        byte = builder.lshr(args[1], I64(3))
        address = pointer(context, builder, array, args[0], byte)
        bits = ir.IntType(mask.lanes)
        word = builder.bitcast(args[2], bits)
        builder.store(word, builder.bitcast(address, bits.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(array, types.intp, mask), codegen


@intrinsic
def load_bits(typingctx, array, start, like):
    """Bits as a mask for values of the array `like`; `start` counts bits, in multiples of it."""
    mask = Vector(types.boolean, value_lanes(like))

    def codegen(context, builder, sig, args):
        byte = builder.lshr(args[1], I64(3))
        address = pointer(context, builder, array, args[0], byte)
        stored = ir.IntType(max(mask.lanes, 8))
        word = builder.load(builder.bitcast(address, stored.as_pointer()), align=1)
        if mask.lanes < 8:
            within = builder.trunc(builder.and_(args[1], I64(7)), stored)
            word = builder.trunc(builder.lshr(word, within), ir.IntType(mask.lanes))
        return builder.bitcast(word, llvm_vector(mask))

    return mask(array, types.intp, like), codegen
