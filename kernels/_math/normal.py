"""The error function and the normal distribution.

Phi(-a) e^(a^2/2) for a >= 0 is smooth and falls like 1/a: it is w P(1 - 2cw) with w = 1 / (a + c)
and a minimax polynomial P, which holds up to where Phi(-a) is 0 in the type.
"""

from kernels._jit import jit
from kernels._math.exponential import decay
from kernels._math.pieces import polynomial
from kernels._simd import absolute, copysign, fma, is_double, select

_SQRT_2 = 1.4142135623730951

_CENTRE_32, _CENTRE_64 = 4.0, 6.0
_TAIL_32 = (
    -0.0001201844,
    0.00020126173,
    0.0015723179,
    -0.0035261838,
    -0.007529251,
    0.06040669,
    -0.18652268,
    0.3871367,
    -0.6078966,
    0.75528514,
)
_TAIL_64 = (
    8.876840802023829e-10,
    5.237636606010233e-09,
    -1.34456172912233e-10,
    -4.434552970785575e-08,
    9.45572690337117e-09,
    3.1187244991295677e-07,
    -4.3030600972602457e-07,
    -1.800686073929392e-06,
    6.796409416958435e-06,
    1.0759772542319458e-06,
    -6.475191429322486e-05,
    0.00018136032488251668,
    3.2869980622442494e-05,
    -0.002131605195723298,
    0.010029820648351936,
    -0.030985315509016793,
    0.07517191566812548,
    -0.15268023206441028,
    0.2679742458416971,
    -0.4139035857755929,
    0.5689688918147829,
    -0.7010090295908655,
    0.7773517718933622,
)

# erf(x) / x - 1 as a polynomial in x^2, for |x| < 0.75
_ERF_32 = (-0.000675648, 0.005115332, -0.026835114, 0.112833865, -0.3761262, 0.12837917)
_ERF_64 = (
    1.1472499701094691e-08,
    -1.5940066854661717e-07,
    1.643068417974155e-06,
    -1.4924196305569617e-05,
    0.00012055289567541706,
    -0.0008548326188759752,
    0.005223977615420539,
    -0.026866170644428485,
    0.11283791670952596,
    -0.37612638903183715,
    0.12837916709551257,
)


@jit
def _scaled_tail(a):
    """Phi(-a) e^(a^2/2) for a >= 0."""
    if is_double(a):
        w = 1.0 / (a + _CENTRE_64)
        return w * polynomial(fma(w, -2.0 * _CENTRE_64, 1.0), _TAIL_64)
    w = 1.0 / (a + _CENTRE_32)
    return w * polynomial(fma(w, -2.0 * _CENTRE_32, 1.0), _TAIL_32)


@jit
def erf(x):
    """2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x."""
    a = absolute(x)
    square = a * a
    series = polynomial(square, _ERF_64) if is_double(x) else polynomial(square, _ERF_32)
    far = fma(decay(-square) * -2.0, _scaled_tail(a * _SQRT_2), 1.0)
    return copysign(select(a < 0.75, fma(a, series, a), far), x)


@jit
def normal_cdf(x):
    """The share of the standard normal distribution below x, and e^(-x^2/2)."""
    a = absolute(x)
    bell = decay(-0.5 * a * a)
    tail = bell * _scaled_tail(a)
    return select(x < 0.0, tail, 1.0 - tail), bell
