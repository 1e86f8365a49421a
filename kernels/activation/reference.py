"""The functions as defined; `kept` is y where the derivative follows from it, else x."""

import numpy as np
from scipy import special

from .formulas import (
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

SQRT_2_PI = np.sqrt(2 / np.pi)


def forward(formula, x, out_y):
    """y = f(x)."""
    with np.errstate(all="ignore"):
        out_y[...] = _VALUES[type(formula)](x, *formula)


def backward(formula, dy, kept, out_dx):
    """dx = dy f'(x)."""
    with np.errstate(all="ignore"):
        slope = _SLOPES[type(formula)](kept, *formula)
        out_dx[...] = np.where(slope == 0, 0, dy * slope)


def _elu(x, alpha, scale, rate):
    return scale * np.where(x > 0, x, alpha * np.expm1(rate * np.minimum(x, 0)))


def _elu_slope(y, alpha, scale, rate):
    return np.where(y > 0, scale, rate * (y + scale * alpha))


def _softplus(x, beta, threshold):
    return np.where(beta * x > threshold, x, np.logaddexp(0, beta * x) / beta)


def _softplus_slope(x, beta, threshold):
    return np.where(beta * x > threshold, 1, special.expit(beta * x))


def _bent(x):
    return SQRT_2_PI * (x + 0.044715 * x**3)


def _gelu_slope(x):
    return special.ndtr(x) + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)


def _tanh_gelu_slope(x):
    t = np.tanh(_bent(x))
    return (1 + t) / 2 + x * (1 - t**2) / 2 * SQRT_2_PI * (1 + 3 * 0.044715 * x**2)


def _silu_slope(x):
    s = special.expit(x)
    return s * (1 + x * (1 - s))


_VALUES = {
    ReLU: lambda x: np.maximum(x, 0),
    LeakyReLU: lambda x, slope: np.where(x > 0, x, slope * x),
    ELU: _elu,
    Hardtanh: lambda x, low, high: np.clip(x, low, high),
    Sigmoid: special.expit,
    Tanh: np.tanh,
    GELU: lambda x: x * special.ndtr(x),
    TanhGELU: lambda x: x * (1 + np.tanh(_bent(x))) / 2,
    SiLU: lambda x: x * special.expit(x),
    Softplus: _softplus,
    LogSigmoid: lambda x: -np.logaddexp(0, -x),
}

_SLOPES = {
    ReLU: lambda y: np.where(y > 0, 1, 0),
    LeakyReLU: lambda kept, slope: np.where(kept > 0, 1, slope),
    ELU: _elu_slope,
    Hardtanh: lambda y, low, high: np.where((y > low) & (y < high), 1, 0),
    Sigmoid: lambda y: y * (1 - y),
    Tanh: lambda y: 1 - y**2,
    GELU: _gelu_slope,
    TanhGELU: _tanh_gelu_slope,
    SiLU: _silu_slope,
    Softplus: _softplus_slope,
    LogSigmoid: lambda x: special.expit(-x),
}
