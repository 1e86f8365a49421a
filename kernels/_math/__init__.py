"""Elementary functions of SIMD values, branch-free, for float32 and float64.

Errors in units in the last place, tested over the whole range; decay, sigmoid and normal_cdf are 0
where an exponential would be subnormal, all others are right there too:

exp, decay      1.1     log, log1p   1.1
expm1           1.5     erf          2.0
sigmoid, tanh   2.5     normal_cdf   7.5, and in its lower tail x^2 / 2 more

In its lower tail normal_cdf keeps digits, where 1 + erf would have none left. NaN stays NaN, and
infinities give the limits.
"""

from kernels._math.exponential import decay, exp, expm1, expm1_parts, sigmoid, tanh
from kernels._math.logarithm import log, log1p
from kernels._math.normal import erf, normal_cdf

__all__ = [
    "decay",
    "erf",
    "exp",
    "expm1",
    "expm1_parts",
    "log",
    "log1p",
    "normal_cdf",
    "sigmoid",
    "tanh",
]
