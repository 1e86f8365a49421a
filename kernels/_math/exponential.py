"""exp and what follows from it.

e^x = 2^n e^r with n = rint(x / ln 2) and |r| <= ln(2)/2: ln 2 is taken in two parts, so that r
keeps its digits (Cody & Waite), and e^r - 1 is a polynomial. float32: minimax, degree 7 (Cephes'
coefficients); float64: Taylor, degree 13.
"""

from kernels._jit import jit
from kernels._math.pieces import (
    LN2_HIGH_32,
    LN2_HIGH_64,
    LN2_LOW_32,
    LN2_LOW_64,
    MANTISSA_32,
    MANTISSA_64,
    ONE_BITS_32,
    ONE_BITS_64,
    ROUNDER_32,
    ROUNDER_64,
    as_bits,
    as_float,
    polynomial,
)
from kernels._simd import absolute, copysign, fma, is_double, maximum, minimum, select

_LOG2_E = 1.4426950408889634

# (e^r - 1 - r) / r^2
_EXPM1_32 = (
    1.9875691500e-4,
    1.3981999507e-3,
    8.3334519073e-3,
    4.1665795894e-2,
    1.6666665459e-1,
    5.0000001201e-1,
)
_EXPM1_64 = (
    1 / 6227020800,
    1 / 479001600,
    1 / 39916800,
    1 / 3628800,
    1 / 362880,
    1 / 40320,
    1 / 5040,
    1 / 720,
    1 / 120,
    1 / 24,
    1 / 6,
    0.5,
)

# The last x with a finite e^x, the first with a normal one, and the last whose e^x rounds to 0.
_LARGEST_32, _LEAST_NORMAL_32, _SMALLEST_32 = 88.72283, -87.33654, -104.0
_LARGEST_64, _LEAST_NORMAL_64, _SMALLEST_64 = 709.782712893384, -708.3964185322641, -746.0

# Exponents that lift the subnormal numbers to below 1, and a number that x overflows with.
_LIFT_32, _LIFT_64 = 126 << MANTISSA_32, 1022 << MANTISSA_64
_HUGE_32, _HUGE_64 = 3e38, 1e308


@jit
def expm1_parts(x):
    """n and e^r - 1, where e^x = 2^n e^r."""
    if is_double(x):
        n = fma(x, _LOG2_E, ROUNDER_64) - ROUNDER_64
        r = fma(n, -LN2_LOW_64, fma(n, -LN2_HIGH_64, x))
        p = polynomial(r, _EXPM1_64)
    else:
        n = fma(x, _LOG2_E, ROUNDER_32) - ROUNDER_32
        r = fma(n, -LN2_LOW_32, fma(n, -LN2_HIGH_32, x))
        p = polynomial(r, _EXPM1_32)
    return n, fma(r * r, p, r)


@jit
def _exponent_bits(n):
    """What multiplies a float by 2^n when it is added to its bits; anything where n is NaN."""
    if is_double(n):
        return as_bits(n + ROUNDER_64) << MANTISSA_64
    return as_bits(n + ROUNDER_32) << MANTISSA_32


@jit
def exp(x):
    """e^x: inf above the range of the type, subnormal and 0 below it.

    Subnormal results are put together from bits: processors take long to multiply them.
    """
    if is_double(x):
        largest, least_normal, smallest = _LARGEST_64, _LEAST_NORMAL_64, _SMALLEST_64
        lift, one, huge = _LIFT_64, ONE_BITS_64, _HUGE_64
    else:
        largest, least_normal, smallest = _LARGEST_32, _LEAST_NORMAL_32, _SMALLEST_32
        lift, one, huge = _LIFT_32, ONE_BITS_32, _HUGE_32
    x = maximum(x, smallest)
    n, grown = expm1_parts(x)
    bits = as_bits(grown + 1.0) + _exponent_bits(n)
    # In [1, 2) floats are as far apart as the lifted subnormal numbers.
    rounded = as_bits(as_float(bits + lift) + 1.0) - one
    y = as_float(select(x < least_normal, rounded, bits))
    return select(x <= largest, y, x * huge)


@jit
def decay(x):
    """e^x for x <= 0, and 0 where that would be subnormal."""
    least = _LEAST_NORMAL_64 if is_double(x) else _LEAST_NORMAL_32
    n, grown = expm1_parts(x)
    y = as_float(as_bits(grown + 1.0) + _exponent_bits(n))
    return select(x < least, 0.0, select(x == x, y, x))


@jit
def expm1(x):
    """e^x - 1, which keeps its digits near 0."""
    if is_double(x):
        largest, half, huge = _LARGEST_64, ONE_BITS_64 - (1 << MANTISSA_64), _HUGE_64
    else:
        largest, half, huge = _LARGEST_32, ONE_BITS_32 - (1 << MANTISSA_32), _HUGE_32
    n, grown = expm1_parts(maximum(x, -40.0))
    # 2^(n - 1), since 2^n may be too large where the result is not.
    scale = as_float(_exponent_bits(n) + half)
    y = fma(scale, grown, scale - 0.5)
    y = select(absolute(x) < 0.25, grown, y + y)
    return select(x <= largest, y, x * huge)


@jit
def sigmoid(x):
    """1 / (1 + e^-x), and 0 where that would be subnormal."""
    one, least = (ONE_BITS_64, -708.0) if is_double(x) else (ONE_BITS_32, -87.0)
    n, grown = expm1_parts(maximum(minimum(-x, -least), least))
    scale = as_float(_exponent_bits(n) + one)
    return select(x < least, 0.0, 1.0 / (fma(scale, grown, scale) + 1.0))


@jit
def tanh(x):
    """tanh |x| = (1 - e) / (1 + e) with e = e^(-2|x|), by e - 1, which keeps digits near 0."""
    n, grown = expm1_parts(maximum(absolute(x) * -2.0, -80.0))
    scale = as_float(_exponent_bits(n) + (ONE_BITS_64 if is_double(x) else ONE_BITS_32))
    minus = fma(scale, grown, scale - 1.0)
    return copysign(minus / (minus + 2.0), x)
