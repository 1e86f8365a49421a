"""Losses that are a sum over elements, each of a number x and its target t.

x, target    (size,)
weight       (size,), or empty for ones
pos_weight   (size,), or empty for ones; of "logistic" alone
parameter    beta of "smooth", delta of "huber", margin of "hinge"
out_loss     (size,), or empty where not wanted
out_sum      (1,) float64: the sum of the losses
out_gradient (size,), or empty where not wanted
"""

import numpy as np


def forward(kind, x, target, weight, pos_weight, parameter, scale, out_loss, out_sum, out_gradient):
    """Each element's loss times its weight, their sum, and `scale` times the gradient to x."""
    pull = pos_weight if pos_weight.size else 1.0
    with np.errstate(all="ignore"):
        loss, slope = _FORMULAS[kind](x, target, parameter, pull)
    if weight.size:
        loss, slope = loss * weight, slope * weight
    if out_loss.size:
        out_loss[...] = loss
    out_sum[...] = loss.sum(dtype=np.float64)
    if out_gradient.size:
        out_gradient[...] = slope * scale


def backward(gradient, dloss, out_dx):
    """dx = gradient * dloss; dloss (size,), or (1,) for all."""
    out_dx[...] = gradient * dloss


def _squared(x, t, _, __):
    return (x - t) ** 2, 2 * (x - t)


def _absolute(x, t, _, __):
    return np.abs(x - t), np.sign(x - t)


def _smooth(x, t, beta, _):
    d = x - t
    near = np.abs(d) < beta
    return (
        np.where(near, d * d / (2 * beta), np.abs(d) - beta / 2),
        np.where(near, d / beta, np.sign(d)),
    )


def _huber(x, t, delta, _):
    d = x - t
    near = np.abs(d) < delta
    return (
        np.where(near, d * d / 2, delta * (np.abs(d) - delta / 2)),
        np.where(near, d, delta * np.sign(d)),
    )


def _binary(x, t, _, __):
    """Logarithms are kept above -100 and their denominators above 1e-12, as PyTorch does."""
    yes, no = np.maximum(np.log(x), -100), np.maximum(np.log1p(-x), -100)
    return (t - 1) * no - t * yes, (x - t) / np.maximum(x * (1 - x), 1e-12)


def _logistic(x, t, _, pull):
    """Cross entropy of p = sigmoid(x); the share t of ones counts `pull` times."""
    decay = np.exp(-np.abs(x))
    p = np.where(x < 0, decay, 1) / (1 + decay)
    softplus = np.log1p(decay) + np.maximum(-x, 0)
    ones = pull * t
    return (1 - t) * x + (ones + 1 - t) * softplus, (ones + 1 - t) * p - ones


def _divergence(x, t, _, __):
    return np.where(t == 0, 0, t * np.log(t)) - t * x, -t


def _log_divergence(x, t, _, __):
    return np.exp(t) * (t - x), -np.exp(t)


def _hinge(x, t, margin, _):
    """x where t is 1, max(0, margin - x) where it is -1; both elsewhere."""
    missing = np.where(t != 1, np.maximum(margin - x, 0), 0)
    slope = np.where((t != 1) & (margin - x >= 0), -1, 0) + np.where(t != -1, 1, 0)
    return missing + np.where(t != -1, x, 0), slope


_FORMULAS = {
    "squared": _squared,
    "absolute": _absolute,
    "smooth": _smooth,
    "huber": _huber,
    "binary": _binary,
    "logistic": _logistic,
    "divergence": _divergence,
    "log_divergence": _log_divergence,
    "hinge": _hinge,
}
