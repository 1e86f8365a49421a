"""Batch normalization as in the paper: Ioffe & Szegedy 2015, algorithm 1 and section 3.

x, y, dy, residual, out_y, out_dx, out_dresidual   (N, C, S): samples, channels, positions
gamma, beta, mean, var, out_dgamma, out_dbeta, out_mean, out_var   (C,)

residual is empty where nothing is added. So is y, what forward gave, but where a ReLU follows an
addition: then alone it is read, and the gradient before the ReLU written to out_dresidual. out_dx,
or out_dgamma and out_dbeta, are empty where not wanted.
"""

import numpy as np


def forward(x, residual, gamma, beta, eps, relu, out_y, out_mean, out_var):
    """Normalize with the mean and the biased variance of the batch."""
    out_mean[...] = x.mean(axis=(0, 2), dtype=np.float64)
    deviation = x - out_mean[:, None]
    out_var[...] = np.square(deviation).mean(axis=(0, 2))
    inference_forward(x, residual, out_mean, out_var, gamma, beta, eps, relu, out_y)


def inference_forward(x, residual, mean, var, gamma, beta, eps, relu, out_y):
    """Normalize with given statistics: each sample alone."""
    y = gamma[:, None] * _normalize(x, mean, var, eps) + beta[:, None]
    if residual.size:
        y = y + residual
    out_y[...] = np.maximum(y, 0) if relu else y


def backward(
    dy, x, y, gamma, beta, mean, var, eps, relu, training, out_dx, out_dresidual, out_dgamma,
    out_dbeta,
):  # fmt: skip
    """In training the gradient flows through mean and variance too; README.md derives it."""
    count = x.shape[0] * x.shape[2]
    xhat = _normalize(x, mean, var, eps)
    if relu:
        line = y if y.size else gamma[:, None] * xhat + beta[:, None]
        dy = np.where(line <= 0, 0, dy)
    if y.size:
        out_dresidual[...] = dy
    dbeta = dy.sum(axis=(0, 2), dtype=np.float64)
    dgamma = (dy * xhat).sum(axis=(0, 2))
    dxhat = dy
    if training:
        dxhat = dy - (dbeta[:, None] + xhat * dgamma[:, None]) / count
    if out_dx.size:
        out_dx[...] = (gamma / np.sqrt(var + eps))[:, None] * dxhat
    if out_dgamma.size:
        out_dgamma[...] = dgamma
        out_dbeta[...] = dbeta


def _normalize(x, mean, var, eps):
    return (x - mean[:, None]) / np.sqrt(var + eps)[:, None]
