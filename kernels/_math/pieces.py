"""What the functions are built from: the bits of floats, and polynomials."""

from numba.core import types
from numba.extending import intrinsic

from kernels._simd import Vector, as_vector, call, llvm_vector, suffix

_INTEGERS = {types.float32: types.int32, types.float64: types.int64}
_FLOATS = {integer: floating for floating, integer in _INTEGERS.items()}

# Added to a float, these leave its nearest integer in the low bits: 1.5 * 2^23 and 1.5 * 2^52.
ROUNDER_32, ROUNDER_64 = 12582912.0, 6755399441055744.0
ROUNDER_BITS_32, ROUNDER_BITS_64 = 0x4B400000, 0x4338000000000000

MANTISSA_32, MANTISSA_64 = 23, 52
ONE_BITS_32, ONE_BITS_64 = 0x3F800000, 0x3FF0000000000000

# ln 2 in two parts, the first of so few digits that its product with an exponent is exact.
LN2_HIGH_32, LN2_LOW_32 = 0.693359375, -2.12194440e-4
LN2_HIGH_64, LN2_LOW_64 = 6.93147180369123816490e-01, 1.90821492927058770002e-10


@intrinsic
def as_bits(typingctx, x):
    """The bits of floats as signed integers; adding 1 << mantissa doubles the float."""
    result = Vector(_INTEGERS[x.element], x.lanes)

    def codegen(context, builder, sig, args):
        return builder.bitcast(args[0], llvm_vector(result))

    return result(x), codegen


@intrinsic
def as_float(typingctx, bits):
    """The floats of these bits."""
    result = Vector(_FLOATS[bits.element], bits.lanes)

    def codegen(context, builder, sig, args):
        return builder.bitcast(args[0], llvm_vector(result))

    return result(bits), codegen


@intrinsic
def polynomial(typingctx, x, coefficients):
    """By Horner's rule; the coefficient of the highest power comes first."""

    def codegen(context, builder, sig, args):
        kind = llvm_vector(x)
        value = None
        for i in range(coefficients.count):
            number = builder.extract_value(args[1], i)
            term = as_vector(context, builder, number, coefficients.dtype, x)
            if value is not None:
                term = call(builder, f"llvm.fma.{suffix(kind)}", kind, [value, args[0], term])
            value = term
        return value

    return x(x, coefficients), codegen
