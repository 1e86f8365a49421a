"""Squares of register lanes, transposed in registers."""

from numba.core import types
from numba.extending import intrinsic

from .._simd import (
    I64,
    REGISTER_BYTES,
    Vector,
    alignment,
    llvm_vector,
    load_vector,
    pointer,
    shuffle,
    store_vector,
)


@intrinsic
def square_side(typingctx, array):
    """How many elements of `array` one register holds; a constant to the compiler."""

    def codegen(context, builder, sig, args):
        return I64(_side(array))

    return types.intp(array), codegen


@intrinsic
def transpose_square(typingctx, source, start, row_step, out, out_start, out_step):
    """out[out_start + j * out_step + i] = source[start + i * row_step + j], for one square.

    For h = 1, 2, 4, ... each pair of rows i, i + h exchanges the lanes whose index lacks or has h.
    Rows are written in order, so that a later one may lie over the end of an earlier one.
    """
    side = _side(source)
    kind = llvm_vector(Vector(source.dtype, side))

    def address(builder, base, step, index):
        return builder.gep(base, [builder.mul(step, I64(index))])

    def codegen(context, builder, sig, args):
        base = pointer(context, builder, source, args[0], args[1])
        target = pointer(context, builder, out, args[3], args[4])
        align = alignment(source.dtype)
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


def _side(array):
    return REGISTER_BYTES * 8 // array.dtype.bitwidth
