"""The sum of two arrays, written to be read."""

import numpy as np


def forward(a, b, out_y):
    """a, b, out_y  (M,)."""
    np.add(a, b, out=out_y)
