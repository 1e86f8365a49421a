"""Every formula for SIMD values: its value at x, and the gradient dx from dy and what is kept.

Comparisons stand so that NaN comes out again; infinities are made the largest numbers where they
would meet a 0.
"""

from numba.extending import overload

from kernels._jit import jit
from kernels._math import decay, exp, expm1, log1p, normal_cdf, sigmoid, tanh
from kernels._simd import absolute, any_lane, fma, is_double, load_first, maximum, minimum, select
from kernels.activation.formulas import (
    ELU,
    GELU,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
    TanhGELU,
)
from kernels.activation.gelu import SHARE_END, SLOPE_END, gelu_share, gelu_slope

_LARGEST_32, _LARGEST_64 = 3.4e38, 1.79e308
_DENSITY_AT_0 = 0.3989422804014327

# sigmoid(2 u) = (1 + tanh u) / 2 with u = sqrt(2 / pi) (x + 0.044715 x^3) = x (A + B x^2) / 2
_A, _B = 1.5957691216057308, 0.07135481627260025


def value(formula, x):
    """The function at x, in compiled code."""
    raise NotImplementedError


def gradient(formula, dy, kept):
    """dy times the derivative, in compiled code."""
    raise NotImplementedError


def refined(formula, dx, dy, kept, x, at, count):
    """dx, anew from x where kept has lost the digits of the derivative; x may be empty."""
    raise NotImplementedError


@overload(value)
def _value(formula, x):
    return _VALUES[formula.instance_class]


@overload(gradient)
def _gradient(formula, dy, kept):
    return _GRADIENTS[formula.instance_class]


@overload(refined)
def _refined(formula, dx, dy, kept, x, at, count):
    return _refined_elu if formula.instance_class is ELU else _unchanged


def _unchanged(formula, dx, dy, kept, x, at, count):
    return dx


@jit
def _above_minus_inf(x):
    return maximum(x, -_LARGEST_64 if is_double(x) else -_LARGEST_32)


@jit
def _finite(x):
    return minimum(_above_minus_inf(x), _LARGEST_64 if is_double(x) else _LARGEST_32)


def _relu(formula, x):
    return select(x < 0.0, 0.0, x)


def _relu_gradient(formula, dy, kept):
    return select(kept <= 0.0, 0.0, dy)


def _leaky_relu(formula, x):
    return select(x > 0.0, x, x * formula.negative_slope)


def _leaky_relu_gradient(formula, dy, kept):
    return select(kept > 0.0, dy, dy * formula.negative_slope)


def _elu(formula, x):
    below = expm1(minimum(x, 0.0) * formula.rate) * (formula.alpha * formula.scale)
    return select(x > 0.0, x * formula.scale, below)


def _elu_gradient(formula, dy, kept):
    below = (kept + formula.alpha * formula.scale) * formula.rate
    return dy * select(kept > 0.0, formula.scale, below)


def _refined_elu(formula, dx, dy, kept, x, at, count):
    """y nears -alpha scale, and its distance from there is what is left of e^x."""
    far = formula.alpha * formula.scale
    lost = absolute(kept + far) < abs(far) * 0.015625
    if x.size > 0 and any_lane(lost):
        slope = exp(load_first(x, at, count, 0.0) * formula.rate) * (far * formula.rate)
        return select(lost, dy * slope, dx)
    return dx


def _hardtanh(formula, x):
    return minimum(maximum(x, formula.min_val), formula.max_val)


def _hardtanh_gradient(formula, dy, kept):
    flat = (kept <= formula.min_val) | (kept >= formula.max_val)
    return select(flat, 0.0, dy)


def _sigmoid(formula, x):
    return sigmoid(x)


def _sigmoid_gradient(formula, dy, kept):
    return dy * (kept * (1.0 - kept))


def _tanh(formula, x):
    return tanh(x)


def _tanh_gradient(formula, dy, kept):
    return dy * fma(-kept, kept, 1.0)


def _gelu(formula, x):
    if is_double(x):
        x = _above_minus_inf(x)
        below, _ = normal_cdf(x)
        return x * below
    return select(x < -SHARE_END, 0.0, x * gelu_share(x))


def _gelu_gradient(formula, dy, kept):
    if is_double(dy):
        x = _finite(kept)
        below, bell = normal_cdf(x)
        return dy * fma(x * bell, _DENSITY_AT_0, below)
    return dy * select(kept < -SLOPE_END, 0.0, gelu_slope(kept))


def _tanh_gelu(formula, x):
    x = _above_minus_inf(x)
    return x * sigmoid(x * fma(x * x, _B, _A))


def _tanh_gelu_gradient(formula, dy, kept):
    # Beyond 30 the derivative is 0 or 1, and its terms would overflow.
    x = minimum(maximum(kept, -30.0), 30.0)
    square = x * x
    # The lesser one of s and 1 - s has all its digits.
    lesser = sigmoid(-absolute(x * fma(square, _B, _A)))
    greater = 1.0 - lesser
    rise = x * fma(square, 3.0 * _B, _A) * lesser
    return dy * fma(rise, greater, select(x < 0.0, lesser, greater))


def _silu(formula, x):
    x = _above_minus_inf(x)
    return x * sigmoid(x)


def _silu_gradient(formula, dy, kept):
    x = _finite(kept)
    s = sigmoid(x)
    return dy * (s * fma(x, 1.0 - s, 1.0))


def _softplus(formula, x):
    z = x * formula.beta
    y = (maximum(z, 0.0) + log1p(decay(-absolute(z)))) * (1.0 / formula.beta)
    return select(z > formula.threshold, x, y)


def _softplus_gradient(formula, dy, kept):
    z = kept * formula.beta
    return select(z > formula.threshold, dy, dy * sigmoid(z))


def _log_sigmoid(formula, x):
    return minimum(x, 0.0) - log1p(decay(-absolute(x)))


def _log_sigmoid_gradient(formula, dy, kept):
    return dy * sigmoid(-kept)


_VALUES = {
    ReLU: _relu,
    LeakyReLU: _leaky_relu,
    ELU: _elu,
    Hardtanh: _hardtanh,
    Sigmoid: _sigmoid,
    Tanh: _tanh,
    GELU: _gelu,
    TanhGELU: _tanh_gelu,
    SiLU: _silu,
    Softplus: _softplus,
    LogSigmoid: _log_sigmoid,
}

_GRADIENTS = {
    ReLU: _relu_gradient,
    LeakyReLU: _leaky_relu_gradient,
    ELU: _elu_gradient,
    Hardtanh: _hardtanh_gradient,
    Sigmoid: _sigmoid_gradient,
    Tanh: _tanh_gradient,
    GELU: _gelu_gradient,
    TanhGELU: _tanh_gelu_gradient,
    SiLU: _silu_gradient,
    Softplus: _softplus_gradient,
    LogSigmoid: _log_sigmoid_gradient,
}
