"""exp, tanh and sigmoid of SIMD values, branch-free, for float32 and float64.

exp(x) = 2^n e^r with n = rint(x / ln 2) and |r| <= ln(2)/2: ln 2 is taken in two parts, so that
r keeps its digits (Cody & Waite), and e^r - 1 is a polynomial. float32: minimax, degree 7
(Cephes' coefficients); float64: Taylor, degree 13. Errors in units in the last place, tested:
exp 1.01, tanh and sigmoid 2.5. NaN stays NaN.
"""

import numpy as np

from kernels import _jit
from kernels._simd import (
    absolute,
    copysign,
    fma,
    is_double,
    rint,
    select,
    times_power_of_two,
)

_LOG2_E = 1.4426950408889634
_LN2_HIGH_32, _LN2_LOW_32 = np.float32(0.693359375), np.float32(-2.12194440e-4)
_LN2_HIGH_64, _LN2_LOW_64 = 6.93147180369123816490e-01, 1.90821492927058770002e-10


@_jit.jit
def _expm1_parts(x):
    """n and e^r - 1, where e^x = 2^n e^r."""
    n = rint(x * _LOG2_E)
    if is_double(x):
        r = fma(n, -_LN2_HIGH_64, x)
        r = fma(n, -_LN2_LOW_64, r)
        p = fma(r, 1 / 6227020800, 1 / 479001600)
        p = fma(p, r, 1 / 39916800)
        p = fma(p, r, 1 / 3628800)
        p = fma(p, r, 1 / 362880)
        p = fma(p, r, 1 / 40320)
        p = fma(p, r, 1 / 5040)
        p = fma(p, r, 1 / 720)
        p = fma(p, r, 1 / 120)
        p = fma(p, r, 1 / 24)
        p = fma(p, r, 1 / 6)
        p = fma(p, r, 0.5)
    else:
        r = fma(n, -_LN2_HIGH_32, x)
        r = fma(n, -_LN2_LOW_32, r)
        p = fma(r, 1.9875691500e-4, 1.3981999507e-3)
        p = fma(p, r, 8.3334519073e-3)
        p = fma(p, r, 4.1665795894e-2)
        p = fma(p, r, 1.6666665459e-1)
        p = fma(p, r, 5.0000001201e-1)
    return n, fma(r * r, p, r)


@_jit.jit
def exp(x):
    """e^x: inf above the range of the type, subnormal and 0 below it."""
    largest, smallest = (710.0, -746.0) if is_double(x) else (89.0, -104.0)
    x = select(x > largest, largest, x)
    x = select(x < smallest, smallest, x)
    n, grown = _expm1_parts(x)
    n = select(n == n, n, 0.0)
    # 2^n may leave the range of normal numbers where the result does not: two factors.
    half = rint(n * 0.5)
    one = n * 0.0 + 1.0
    result = (grown + 1.0) * times_power_of_two(one, half)
    return result * times_power_of_two(one, n - half)


@_jit.jit
def sigmoid(x):
    """1 / (1 + e^-x)."""
    return 1.0 / (exp(-x) + 1.0)


@_jit.jit
def tanh(x):
    """tanh |x| = (1 - e) / (1 + e) with e = e^(-2|x|), by e - 1, which keeps digits near 0."""
    a = absolute(x) * -2.0
    a = select(a < -80.0, -80.0, a)
    n, grown = _expm1_parts(a)
    n = select(n == n, n, 0.0)
    scale = times_power_of_two(n * 0.0 + 1.0, n)
    minus = fma(scale, grown, scale - 1.0)
    return copysign(minus / (minus + 2.0), x)
