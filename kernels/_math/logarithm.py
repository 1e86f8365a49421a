"""Logarithms.

x = 2^k m with m in [sqrt(1/2), sqrt 2), f = m - 1, s = f / (2 + f): log m = 2 atanh s, an odd
series in s, taken as f - s (f - R) with R a minimax polynomial in s^2, since f is exact.
"""

import numpy as np

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
    ROUNDER_BITS_32,
    ROUNDER_BITS_64,
    as_bits,
    as_float,
    polynomial,
)
from kernels._simd import is_double, select

# (2 atanh(s) / s - 2) / s^2 as a polynomial in s^2
_ATANH_32 = (0.23330468, 0.28550822, 0.40000123, 0.6666667)
_ATANH_64 = (
    0.14616449685043406,
    0.15331721600556042,
    0.18182889125261723,
    0.2222221113479508,
    0.28571428625975487,
    0.39999999999899505,
    0.666666666666667,
)

_SQRT_HALF_BITS_32, _SQRT_HALF_BITS_64 = 0x3F3504F3, 0x3FE6A09E667F3BCD

# The least normal number, and a power of two that makes subnormal numbers normal.
_NORMAL_32, _LIFT_32, _LIFTED_BY_32 = 1.1754943508222875e-38, 2.0**25, 25.0
_NORMAL_64, _LIFT_64, _LIFTED_BY_64 = 2.2250738585072014e-308, 2.0**54, 54.0


@jit
def log(x):
    """The natural logarithm: -inf at 0, NaN below."""
    if is_double(x):
        normal, lift, lifted_by = _NORMAL_64, _LIFT_64, _LIFTED_BY_64
    else:
        normal, lift, lifted_by = _NORMAL_32, _LIFT_32, _LIFTED_BY_32
    small = x < normal
    y = _log_of_sum(select(small, x * lift, x), select(small, x * 0.0 + lifted_by, 0.0), 0.0)
    return _with_limits(x, y, x)


@jit
def log1p(x):
    """log(1 + x), which keeps its digits near 0."""
    u = x + 1.0
    return _with_limits(u, _log_of_sum(u, x * 0.0, (x - (u - 1.0)) / u), x)


@jit
def _log_of_sum(u, lifted_by, c):
    """log(u) - lifted_by * ln 2 + c, for a normal u > 0."""
    if is_double(u):
        mantissa, one, sqrt_half = MANTISSA_64, ONE_BITS_64, _SQRT_HALF_BITS_64
        rounder, rounder_bits = ROUNDER_64, ROUNDER_BITS_64
        high, low = LN2_HIGH_64, LN2_LOW_64
    else:
        mantissa, one, sqrt_half = MANTISSA_32, ONE_BITS_32, _SQRT_HALF_BITS_32
        rounder, rounder_bits = ROUNDER_32, ROUNDER_BITS_32
        high, low = LN2_HIGH_32, LN2_LOW_32
    bits = as_bits(u) + (one - sqrt_half)
    k = as_float((bits >> mantissa) + (rounder_bits - (one >> mantissa))) - rounder - lifted_by
    f = as_float((bits & ((1 << mantissa) - 1)) + sqrt_half) - 1.0
    s = f / (f + 2.0)
    z = s * s
    series = polynomial(z, _ATANH_64) if is_double(u) else polynomial(z, _ATANH_32)
    half_square = 0.5 * f * f
    rest = half_square - (s * (half_square + z * series) + (k * low + c))
    return k * high - (rest - f)


@jit
def _with_limits(u, y, x):
    """y, but where log u is not finite; x is NaN or inf where u is."""
    y = select(u < np.inf, y, x)
    y = select(u == 0.0, -np.inf, y)
    return select(u < 0.0, np.nan, y)
