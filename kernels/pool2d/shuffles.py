"""What pooling does to SIMD values: pick every other lane, interleave, fold, narrow to bytes."""

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from kernels._jit import jit
from kernels._simd import (
    I32,
    I64,
    Vector,
    lanes,
    llvm_vector,
    load,
    load_vector,
    pointer,
    shuffle,
    store_vector,
    value_lanes,
)


@jit
def every(x, start, stride):
    """x[start], x[start + stride], ...; reads stride * lanes(x) elements from start on."""
    if stride == 1:
        return load(x, start)
    if stride == 2:
        return evens(load(x, start), load(x, start + lanes(x)))
    return gather(x, start, stride)


@intrinsic
def gather(typingctx, array, start, stride):
    """The same by one load a lane, which costs no more than the processor's own gather."""
    vector = Vector(array.dtype, value_lanes(array))

    def codegen(context, builder, sig, args):
        base = pointer(context, builder, array, *args[:2])
        values = ir.Constant(llvm_vector(vector), ir.Undefined)
        for lane in range(vector.lanes):
            at = builder.gep(base, [builder.mul(args[2], I64(lane))])
            values = builder.insert_element(values, builder.load(at), I32(lane))
        return values

    return vector(array, types.intp, types.intp), codegen


@intrinsic
def evens(typingctx, a, b):
    """Lanes 0, 2, 4, ... of a followed by b."""

    def codegen(context, builder, sig, args):
        return shuffle(builder, *args, list(range(0, 2 * a.lanes, 2)))

    return a(a, b), codegen


@intrinsic
def odds(typingctx, a, b):
    """Lanes 1, 3, 5, ... of a followed by b."""

    def codegen(context, builder, sig, args):
        return shuffle(builder, *args, list(range(1, 2 * a.lanes, 2)))

    return a(a, b), codegen


@intrinsic
def fold_four(typingctx, a, b, c, d):
    """The four sums of all lanes, in their own type: few additions deep."""

    def codegen(context, builder, sig, args):
        def add(low, high, evens, odds):
            pair = [shuffle(builder, low, high, order) for order in (evens, odds)]
            return builder.fadd(*pair)

        quads = []
        for value in args:
            width = a.lanes
            while width > 4:
                width //= 2
                halves = list(range(width)), list(range(width, 2 * width))
                value = add(value, None, *halves)
            quads.append(value)
        order = [0, 2, 4, 6], [1, 3, 5, 7]
        return add(add(*quads[:2], *order), add(*quads[2:], *order), *order)

    return Vector(a.element, 4)(a, b, c, d), codegen


@intrinsic
def interleave(typingctx, a, b):
    """a[0], b[0], a[1], b[1], ... in two vectors."""

    def codegen(context, builder, sig, args):
        order = [lane + a.lanes * other for lane in range(a.lanes) for other in (0, 1)]
        halves = [shuffle(builder, *args, part) for part in (order[: a.lanes], order[a.lanes :])]
        return context.make_tuple(builder, sig.return_type, halves)

    return types.UniTuple(a, 2)(a, b), codegen


@intrinsic
def store_positions(typingctx, array, start, value):
    """Write small whole numbers, kept in float lanes, as the integers of `array`."""

    def codegen(context, builder, sig, args):
        integer = context.get_value_type(array.dtype)
        target = llvm_vector(Vector(types.int32, value.lanes))
        whole = builder.fptosi(args[2], target)
        if integer.width < 32:
            whole = builder.trunc(whole, type(target)(integer, value.lanes))
        store_vector(
            builder, whole, pointer(context, builder, array, *args[:2]), integer.width // 8
        )
        return context.get_dummy_value()

    return types.void(array, types.intp, value), codegen


@intrinsic
def load_positions(typingctx, array, start, like):
    """The reverse: as many integers as a value of `like` has lanes, in its type."""
    values = Vector(like.dtype, value_lanes(like))

    def codegen(context, builder, sig, args):
        integer = context.get_value_type(array.dtype)
        source = type(llvm_vector(values))(integer, values.lanes)
        address = pointer(context, builder, array, *args[:2])
        whole = load_vector(builder, address, source, integer.width // 8)
        return builder.sitofp(whole, llvm_vector(values))

    return values(array, types.intp, like), codegen
