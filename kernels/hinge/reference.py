"""The multi-class support vector machine's loss.

x, out_gradient  (N, C); out_gradient empty where not wanted
labels           (N,) int64 in [0, C)
weight           (C,)
out_loss         (N,) float64
row_scale        (N,) float64, or (1,) for all
"""

import numpy as np


def forward(x, labels, weight, power, margin, scale, out_loss, out_gradient):
    """weight[y] / C times the sum over c != y of max(0, margin - x[y] + x[c])^power, y the label.

    out_gradient is `scale` times its gradient.
    """
    rows, classes = x.shape
    index = np.arange(rows), labels
    slack = margin - x[index][:, None] + x
    slack[index] = 0
    missing = np.where(slack <= 0, 0, slack)
    factor = weight[labels] / classes
    out_loss[...] = factor * (missing**power).sum(axis=1)
    if out_gradient.size:
        slope = np.where(slack <= 0, 0, power * missing ** (power - 1)) * factor[:, None]
        slope[index] = -slope.sum(axis=1)
        out_gradient[...] = slope * scale


def backward(gradient, row_scale, out_dx):
    """dx = gradient * row_scale, row by row."""
    out_dx[...] = gradient * row_scale[:, None]
