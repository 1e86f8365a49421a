"""Local response normalization: Krizhevsky, Sutskever & Hinton 2012, section 3.3.

x, y, dy, out_y, out_dx   (N, C, S): samples, channels, positions

u_i = k + alpha * sum of x_j^2 over i - size // 2 <= j <= i + (size - 1) // 2, as far as there are
channels; y_i = x_i u_i^-beta.
"""

import numpy as np


def forward(x, size, alpha, beta, k, out_y):
    out_y[...] = x * _scale(x, size, alpha, k) ** -beta


def backward(dy, x, size, alpha, beta, k, out_dx):
    """dx_i = dy_i u_i^-beta - 2 alpha beta x_i sum over the j that see i of dy_j y_j / u_j."""
    scale = _scale(x, size, alpha, k)
    power = scale**-beta
    slopes = _window_sum(dy * x * power / scale, (size - 1) // 2, size // 2)
    out_dx[...] = dy * power - 2 * alpha * beta * x * slopes


def _scale(x, size, alpha, k):
    return k + alpha * _window_sum(x * x, size // 2, (size - 1) // 2)


def _window_sum(values, below, above):
    channels = values.shape[1]
    windows = [slice(max(0, c - below), c + above + 1) for c in range(channels)]
    return np.stack([values[:, window].sum(axis=1) for window in windows], axis=1)
