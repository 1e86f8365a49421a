"""Normal random numbers in vector lanes, by Box & Muller (1958).

Two uniform numbers u, v give two independent normal ones: radius sqrt(-2 ln u), angle 2 pi v.
Here u has 31 bits and is never 0, so that |z| < 6.7; v has 32: a sign, a swap of the two
coordinates, and 30 bits for an angle within +-pi/4, where short series of sine and cosine hold.
"""

import math

import numpy as np
from numba.core import types
from numba.extending import intrinsic

from kernels._jit import jit
from kernels._philox import COUNTERS, random_words
from kernels._simd import Vector, convert, fma, llvm_vector, select, sqrt

_SIGN, _SWAP = np.uint32(1 << 31), np.uint32(1 << 30)
_ONE, _ANGLE = np.uint32(1), np.uint32((1 << 30) - 1)
_MANTISSA, _MANTISSA_BITS = np.uint32((1 << 23) - 1), np.uint32(23)
_BITS_OF_ONE = np.uint32(127 << 23)
_LN_2 = math.log(2)
_ROOT_2 = math.sqrt(2)
_QUARTER_TURN = math.pi / 2 / (1 << 30)


@intrinsic
def _as_floats(typingctx, words):
    """Integers below 2^31, rounded to float32."""
    signed, floats = Vector(types.int32, words.lanes), Vector(types.float32, words.lanes)

    def codegen(context, builder, sig, args):
        return convert(builder, args[0], signed, floats)

    return floats(words), codegen


@intrinsic
def _bits_of(typingctx, floats):
    words = Vector(types.uint32, floats.lanes)

    def codegen(context, builder, sig, args):
        return builder.bitcast(args[0], llvm_vector(words))

    return words(floats), codegen


@intrinsic
def _floats_of(typingctx, words):
    floats = Vector(types.float32, words.lanes)

    def codegen(context, builder, sig, args):
        return builder.bitcast(args[0], llvm_vector(floats))

    return floats(words), codegen


@jit
def _log(x):
    """ln x of normal numbers: x = 2^e m, ln m = 2 artanh((m - 1) / (m + 1)), |ln m| <= ln(2)/2."""
    bits = _bits_of(x)
    exponent = _as_floats(bits >> _MANTISSA_BITS) - 127.0
    m = _floats_of((bits & _MANTISSA) | _BITS_OF_ONE)
    large = m > _ROOT_2
    exponent = select(large, exponent + 1.0, exponent)
    m = select(large, m * 0.5, m)
    s = (m - 1.0) / (m + 1.0)
    square = s * s
    series = fma(square, 2 / 9, 2 / 7)
    series = fma(series, square, 2 / 5)
    series = fma(series, square, 2 / 3)
    return fma(exponent, _LN_2, fma(series * square, s, s + s))


@jit
def _pair(u, v):
    """Two vectors of normal numbers from two of words."""
    uniform = (_as_floats(u >> _ONE) + 0.5) * (1 / (1 << 31))
    radius = sqrt(_log(uniform) * -2.0)
    radius = _floats_of(_bits_of(radius) ^ (v & _SIGN))
    angle = (_as_floats(v & _ANGLE) - float(1 << 29)) * _QUARTER_TURN
    square = angle * angle
    sine = fma(square, 1 / 362880, -1 / 5040)
    sine = fma(sine, square, 1 / 120)
    sine = fma(sine, square, -1 / 6)
    sine = fma(sine * square, angle, angle)
    cosine = fma(square, 1 / 40320, -1 / 720)
    cosine = fma(cosine, square, 1 / 24)
    cosine = fma(cosine, square, -0.5)
    cosine = fma(cosine, square, 1.0)
    swapped = (v & _SWAP) != 0
    first = radius * select(swapped, sine, cosine)
    return first, radius * select(swapped, cosine, sine)


@jit
def normals(seed, stream, block, first):
    """Four vectors: numbers first, first + 32, + 64 and + 96 and on of a block's 128."""
    counter = np.uint64(COUNTERS) * np.uint64(block) + np.uint64(first)
    w0, w1, w2, w3 = random_words(seed, stream, counter)
    z0, z1 = _pair(w0, w1)
    z2, z3 = _pair(w2, w3)
    return z0, z1, z2, z3
