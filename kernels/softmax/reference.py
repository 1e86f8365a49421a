"""Softmax along the middle one of three axes, and its logarithm if `log`."""

import numpy as np


def forward(x, log, out_y):
    """y = e^x / sum(e^x), or x - log(sum(e^x))."""
    with np.errstate(all="ignore"):
        shifted = x - x.max(axis=1, keepdims=True)
        total = np.exp(shifted).sum(axis=1, keepdims=True)
        out_y[...] = shifted - np.log(total) if log else np.exp(shifted) / total


def backward(dy, y, log, out_dx):
    """dx = y (dy - sum(dy y)), or dy - e^y sum(dy)."""
    with np.errstate(all="ignore"):
        if log:
            out_dx[...] = dy - np.exp(y) * dy.sum(axis=1, keepdims=True)
        else:
            out_dx[...] = y * (dy - (dy * y).sum(axis=1, keepdims=True))
