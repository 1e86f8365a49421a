"""Group normalization: Wu & He 2018; without a mean, root mean square: Zhang & Sennrich 2019.

x, y, dy, out_y, out_dx                    (N, G, D, S): samples, groups, channels, positions
gamma, beta, out_dgamma, out_dbeta         (G * D,)
mean, rstd, out_mean, out_rstd             (N * G,); rstd = 1 / sqrt(var + eps)

Lines are for norms that mix the statistics of planes: x, y, dx (P, S), all else (P,).
out_dx, or out_dgamma and out_dbeta, are empty where not wanted.
"""

import numpy as np


def forward(x, gamma, beta, eps, centred, out_y, out_mean, out_rstd):
    """Normalize each row, the D * S values of a sample's group; about 0 unless centred."""
    out_mean[...] = x.mean(axis=(2, 3), dtype=np.float64).reshape(-1) if centred else 0
    deviation = x - _of_rows(out_mean, x)
    out_rstd[...] = 1 / np.sqrt(np.square(deviation).mean(axis=(2, 3)).reshape(-1) + eps)
    xhat = deviation * _of_rows(out_rstd, x)
    out_y[...] = xhat * _of_channels(gamma, x) + _of_channels(beta, x)


def backward(dy, x, gamma, mean, rstd, centred, out_dx, out_dgamma, out_dbeta):
    """dx = rstd (g - mean(g) - xhat mean(g xhat)), g = gamma dy; mean(g) falls unless centred."""
    rstd = _of_rows(rstd, x)
    xhat = (x - _of_rows(mean, x)) * rstd
    slope = dy * _of_channels(gamma, x)
    product = (slope * xhat).mean(axis=(2, 3), keepdims=True)
    mean_slope = slope.mean(axis=(2, 3), keepdims=True) if centred else 0
    if out_dx.size:
        out_dx[...] = rstd * (slope - mean_slope - xhat * product)
    if out_dgamma.size:
        out_dgamma[...] = (dy * xhat).sum(axis=(0, 3)).reshape(-1)
        out_dbeta[...] = dy.sum(axis=(0, 3), dtype=np.float64).reshape(-1)


def plane_moments(x, out_mean, out_var):
    """Mean and biased variance of each plane."""
    out_mean[...] = x.mean(axis=1, dtype=np.float64)
    out_var[...] = np.square(x - out_mean[:, None]).mean(axis=1)


def lines(x, head, scale, offset, out_y):
    """y = (x - head) * scale + offset, one line for each plane."""
    out_y[...] = (x - head[:, None]) * scale[:, None] + offset[:, None]


def plane_sums(dy, x, head, out_total, out_product):
    """Sums of dy and of dy * (x - head) over each plane."""
    out_total[...] = dy.sum(axis=1, dtype=np.float64)
    out_product[...] = (dy * (x - head[:, None])).sum(axis=1)


def gradient_lines(dy, x, head, scale, x_scale, dx_offset, out_dx):
    """dx = dy * scale + (x - head) * x_scale + dx_offset, one line for each plane."""
    deviation = x - head[:, None]
    out_dx[...] = dy * scale[:, None] + deviation * x_scale[:, None] + dx_offset[:, None]


def _of_rows(values, x):
    return values.reshape(x.shape[0], x.shape[1], 1, 1)


def _of_channels(values, x):
    return values.reshape(1, x.shape[1], x.shape[2], 1)
