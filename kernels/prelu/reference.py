"""PReLU of (N, C, S) with a weight (C,)."""

import numpy as np


def forward(x, weight, out_y):
    """y = x where x > 0, else weight x."""
    out_y[...] = np.where(x > 0, x, weight[:, None] * x)


def backward(dy, x, weight, out_dx, out_dweight):
    """dx = dy where x > 0, else weight dy; dweight sums dy x where x <= 0."""
    out_dx[...] = np.where(x > 0, dy, weight[:, None] * dy)
    out_dweight[...] = np.where(x > 0, 0, dy * x).sum(axis=(0, 2))
