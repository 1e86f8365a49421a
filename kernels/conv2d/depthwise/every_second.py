"""Every second element of a row: what a stride of 2 leaves of it."""

from numba.core import cgutils, types
from numba.extending import intrinsic

from kernels._simd import I64, Vector, llvm_vector, load_vector, pointer, shuffle, store_vector
from kernels._tile import register_lanes


@intrinsic
def copy_every_second(typingctx, source, start, out, out_start, count):
    """out[i] = source[2 i], `count` elements; nothing beyond the last is read."""
    kind, width = llvm_vector(Vector(source.dtype, register_lanes(source))), register_lanes(source)
    align = source.dtype.bitwidth // 8

    def codegen(context, builder, sig, args):
        base = pointer(context, builder, source, args[0], args[1])
        target = pointer(context, builder, out, args[2], args[3])
        # The odd neighbour of the last element is not ours to read: strictly fewer.
        groups = builder.sdiv(builder.sub(args[4], I64(1)), I64(width))
        with cgutils.for_range(builder, groups) as loop:
            first = builder.mul(loop.index, I64(2 * width))
            low = load_vector(builder, builder.gep(base, [first]), kind, align)
            after = builder.gep(base, [builder.add(first, I64(width))])
            high = load_vector(builder, after, kind, align)
            even = shuffle(builder, low, high, list(range(0, 2 * width, 2)))
            to = builder.gep(target, [builder.mul(loop.index, I64(width))])
            store_vector(builder, even, to, align)
        done = builder.mul(groups, I64(width))
        with cgutils.for_range(builder, builder.sub(args[4], done)) as loop:
            index = builder.add(done, loop.index)
            number = builder.load(builder.gep(base, [builder.mul(index, I64(2))]))
            builder.store(number, builder.gep(target, [index]))
        return context.get_dummy_value()

    intp = types.intp
    return types.void(source, intp, out, intp, intp), codegen
