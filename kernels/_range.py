"""Where sums of float32 squares cannot be trusted: numbers of 1e19 overflow, of 1e-20 vanish."""

import numpy as np

from kernels._jit import jit
from kernels._simd import is_double


@jit
def beyond_float32(x, squares):
    """Whether squares of x that sum up to `squares` may have left float32.

    So may NaN and infinity, and differences of equal numbers; who asks sums again in float64.
    """
    return not is_double(x) and not 1e-30 <= squares < np.inf


@jit
def all_equal(x, start, count):
    """Whether `count` elements of a flat array are one number."""
    differ = False
    for i in range(start, start + count):
        differ |= x[i] != x[start]
    return not differ
