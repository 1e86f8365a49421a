"""Sigmoid and tanh of gates: float32 to 1.5e-7, in two thirds of the instructions of `_math`.

e^x = 2^t with t = x / ln 2, which is rounded: the error that this makes in e^x grows with |x|, but
not that of sigmoid and tanh, which hardly depend on e^x there. float64 goes to `_math`.
"""

from kernels._jit import jit
from kernels._math import sigmoid, tanh
from kernels._math.pieces import as_bits, as_float, polynomial
from kernels._simd import fma, is_double, maximum, minimum

_LOG2_E = 1.4426950408889634

# (2^r - 1) / r for |r| <= 1/2, to 8e-9.
_GROWTH = (
    0.00015461563552688617,
    0.0013390982250790987,
    0.009618056379371912,
    0.055503568886010816,
    0.2402265092370589,
    0.6931471880743152,
)

# Added to n, it leaves n + 127 in the low bits: shifted by the mantissa, they are 2^n.
_ROUNDER = 12582912.0 + 127.0


@jit
def _power(x):
    """2^n and 2^r - 1, where e^x = 2^n 2^r; for x in [-87, 88.7], and 2^128 is inf."""
    t = x * _LOG2_E
    moved = t + _ROUNDER
    r = t - (moved - _ROUNDER)
    return as_float(as_bits(moved) << 23), r * polynomial(r, _GROWTH)


@jit
def gate(x):
    """1 / (1 + e^-x), and 0 below -88.4."""
    if is_double(x):
        return sigmoid(x)
    scale, grown = _power(maximum(minimum(-x, 88.7), -87.0))
    return 1.0 / (scale * (grown + 1.0) + 1.0)


@jit
def squash(x):
    """(1 - e) / (1 + e) with e = e^-2x, by e - 1, which keeps digits near 0."""
    if is_double(x):
        return tanh(x)
    scale, grown = _power(maximum(minimum(x * -2.0, 24.0), -24.0))
    above = fma(scale, grown, scale - 1.0)
    return -above / (above + 2.0)
