"""The losses of the reference, on values; a kind is its number in KINDS."""

from kernels._jit import jit
from kernels._math import decay, exp, log, log1p
from kernels._simd import absolute, maximum, select

KINDS = (
    *("squared", "absolute", "smooth", "huber", "binary", "logistic"),
    *("divergence", "log_divergence", "hinge"),
)


@jit
def element(formula, x, t, pull):
    """The loss of x with target t, and its gradient to x.

    The branch is taken in one direction throughout a call, which costs less than memory does.
    """
    kind, parameter = formula
    if kind <= 3:
        return _of_difference(kind, parameter, x - t)
    if kind == 4:
        return _binary(x, t)
    if kind == 5:
        return _logistic(x, t, pull)
    if kind == 6:
        return select(t == 0.0, 0.0, t * log(t)) - t * x, -t
    if kind == 7:
        certain = exp(t)
        return certain * (t - x), -certain
    return _hinge(x, t, parameter)


@jit
def _of_difference(kind, parameter, d):
    if kind == 0:
        return d * d, d + d
    size = absolute(d)
    sign = select(d > 0.0, 1.0, select(d < 0.0, -1.0, d))  # 0 and NaN are themselves
    if kind == 1:
        return size, sign
    near = size < parameter
    if kind == 2:
        slope = select(near, d / parameter, sign)
        return select(near, 0.5 * d * slope, size - 0.5 * parameter), slope
    slope = select(near, d, sign * parameter)
    return select(near, 0.5 * d * d, (size - 0.5 * parameter) * parameter), slope


@jit
def _binary(x, t):
    yes, no = maximum(log(x), -100.0), maximum(log1p(-x), -100.0)
    return (t - 1.0) * no - t * yes, (x - t) / maximum(x * (1.0 - x), 1e-12)


@jit
def _logistic(x, t, pull):
    e = decay(-absolute(x))
    p = select(x < 0.0, e, 1.0) / (e + 1.0)
    softplus = log1p(e) + maximum(-x, 0.0)
    ones = pull * t
    both = ones + (1.0 - t)
    return (1.0 - t) * x + both * softplus, both * p - ones


@jit
def _hinge(x, t, margin):
    missing = margin - x
    yes = select(t != -1.0, x, 0.0)
    no = select(t != 1.0, maximum(missing, 0.0), 0.0)
    falls = select(t != 1.0, select(missing >= 0.0, x * 0.0 - 1.0, 0.0), 0.0)
    return yes + no, falls + select(t != -1.0, x * 0.0 + 1.0, 0.0)
