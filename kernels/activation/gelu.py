"""GELU in float32 without an exponential: polynomials instead of the normal distribution.

(P - 1/2) / x is an even function of x, for the probability P and for the slope alike. On |x| <= end
it is a minimax polynomial in t = 2 (x / end)^2 - 1, so that its coefficients do not cancel. P errs
by 1.1e-7 and the slope by 2.2e-7, about what rounding 1 + erf costs; before -end both are 0.
"""

from kernels._jit import jit
from kernels._math.pieces import polynomial
from kernels._simd import fma, maximum, minimum

SHARE_END, SLOPE_END = 5.25, 5.75

_SHARE = (
    0.00027746003,
    -0.0006798869,
    0.0005455137,
    -0.00096986874,
    0.0030397167,
    -0.0055280174,
    0.008328681,
    -0.012732101,
    0.018565925,
    -0.025053192,
    0.03202755,
    -0.039762173,
    0.049645986,
    -0.067126855,
    0.13465935,
)
_SLOPE = (
    -0.0028484932,
    0.0064735333,
    -0.0012527358,
    0.00010364326,
    -0.018750751,
    0.033141162,
    -0.032795403,
    0.042030312,
    -0.060372934,
    0.06987261,
    -0.07030834,
    0.066641524,
    -0.059561953,
    0.05171924,
    -0.047291942,
    0.049366683,
    -0.06228145,
    0.12307183,
)


@jit
def gelu_share(x):
    """The probability of less than x for x >= -SHARE_END."""
    x = minimum(maximum(x, -SHARE_END), SHARE_END)
    t = fma(x * (2 / SHARE_END**2), x, -1.0)
    return fma(x, polynomial(t, _SHARE), 0.5)


@jit
def gelu_slope(x):
    """The derivative of GELU for x >= -SLOPE_END."""
    x = minimum(maximum(x, -SLOPE_END), SLOPE_END)
    t = fma(x * (2 / SLOPE_END**2), x, -1.0)
    return fma(x, polynomial(t, _SLOPE), 0.5)
