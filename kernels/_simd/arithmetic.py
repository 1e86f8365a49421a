"""Arithmetic beyond operators, and across lanes."""

from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from kernels._simd.vector import (
    I1,
    I32,
    Vector,
    as_vector,
    call,
    common,
    convert,
    llvm_vector,
    shuffle,
    suffix,
    value_lanes,
)


@intrinsic
def full(typingctx, array, number):
    """A value for `array` with `number` in every lane."""
    vector = Vector(array.dtype, value_lanes(array))

    def codegen(context, builder, sig, args):
        return as_vector(context, builder, args[1], sig.args[1], vector)

    return vector(array, number), codegen


@intrinsic
def fma(typingctx, a, b, c):
    """a * b + c, rounded once; up to two of them may be numbers."""
    vector = common((a, b, c))
    if vector is None:
        return None

    def codegen(context, builder, sig, args):
        values = [
            as_vector(context, builder, value, given, vector)
            for value, given in zip(args, sig.args, strict=True)
        ]
        kind = llvm_vector(vector)
        return call(builder, f"llvm.fma.{suffix(kind)}", kind, values)

    return vector(a, b, c), codegen


@intrinsic
def select(typingctx, mask, a, b):
    """a where the mask is true, else b; one of them may be a number."""
    vector = common((a, b))
    if vector is None:
        return None

    def codegen(context, builder, sig, args):
        chosen = as_vector(context, builder, args[1], sig.args[1], vector)
        other = as_vector(context, builder, args[2], sig.args[2], vector)
        return builder.select(args[0], chosen, other)

    return vector(mask, a, b), codegen


def _elementwise(name: str) -> Callable:
    def typing(typingctx, *vectors):
        kind = llvm_vector(vectors[0])

        def codegen(context, builder, sig, args):
            return call(builder, f"llvm.{name}.{suffix(kind)}", kind, list(args))

        return vectors[0](*vectors), codegen

    return typing


_round, _root = _elementwise("rint"), _elementwise("sqrt")
_absolute, _sign = _elementwise("fabs"), _elementwise("copysign")


@intrinsic
def rint(typingctx, a):
    """The nearest integers, ties to even."""
    return _round(typingctx, a)


@intrinsic
def sqrt(typingctx, a):
    return _root(typingctx, a)


@intrinsic
def absolute(typingctx, a):
    return _absolute(typingctx, a)


@intrinsic
def copysign(typingctx, a, b):
    """The magnitude of a with the sign of b."""
    return _sign(typingctx, a, b)


@intrinsic
def times_power_of_two(typingctx, a, exponent):
    """a * 2**exponent for integral `exponent`; both factors must be normal numbers."""
    bits = a.element.bitwidth
    mantissa = {32: 23, 64: 52}[bits]

    def codegen(context, builder, sig, args):
        kind = ir.VectorType(ir.IntType(bits), a.lanes)
        shift = builder.shl(builder.fptosi(args[1], kind), ir.Constant(kind, [mantissa] * a.lanes))
        scaled = builder.add(builder.bitcast(args[0], kind), shift)
        return builder.bitcast(scaled, llvm_vector(a))

    return a(a, exponent), codegen


@intrinsic
def is_double(typingctx, a):
    """Whether lanes are float64; a constant, so that the other branch is not compiled in."""
    dtype = a.element if isinstance(a, Vector) else a.dtype

    def codegen(context, builder, sig, args):
        return I1(dtype == types.float64)

    return types.boolean(a), codegen


@numba.njit
def maximum(a, b):
    """The greater of a and b; a where a is NaN."""
    return select(a < b, b, a)


@numba.njit
def minimum(a, b):
    """The lesser of a and b; a where a is NaN."""
    return select(a > b, b, a)


def _fold(builder: Any, values: Any, combine: Callable) -> Any:
    width = values.type.count
    while width > 1:
        width //= 2
        low = shuffle(builder, values, None, list(range(width)))
        high = shuffle(builder, values, None, list(range(width, 2 * width)))
        values = combine(low, high)
    return builder.extract_element(values, I32(0))


@intrinsic
def sum_lanes(typingctx, a):
    """The sum of all lanes, in float64."""

    def codegen(context, builder, sig, args):
        wide = convert(builder, args[0], a, Vector(types.float64, a.lanes))
        return _fold(builder, wide, builder.fadd)

    return types.float64(a), codegen


@intrinsic
def max_lanes(typingctx, a):
    """The greatest lane; which one is given for NaN is not defined."""

    def codegen(context, builder, sig, args):
        def greater(x, y):
            return builder.select(builder.fcmp_ordered(">", x, y), x, y)

        return _fold(builder, args[0], greater)

    return a.element(a), codegen


@intrinsic
def any_lane(typingctx, mask):
    """Whether the mask is true anywhere."""

    def codegen(context, builder, sig, args):
        bits = ir.IntType(mask.lanes)
        return builder.icmp_unsigned("!=", builder.bitcast(args[0], bits), bits(0))

    return types.boolean(mask), codegen
