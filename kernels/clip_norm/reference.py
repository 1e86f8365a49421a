"""Length and shrinking in NumPy: the oracle."""

import numpy as np


def sum_of_squares(x, out_sum):
    """x (size,), out_sum (1,) float64."""
    out_sum[0] = np.sum(np.square(x, dtype=np.float64))


def scale(factor, inout_x):
    """x *= factor."""
    inout_x *= factor
