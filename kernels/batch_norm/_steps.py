"""The steps that both layouts of batch normalization share.

A group is what one task owns: the planes of a channel, or a strip of columns. Where there are few
groups, the samples of each are split into parts, whose sums are put together in order. Groups and
parts follow from the shape alone, so the number of threads changes no bit.
"""

import numpy as np

from .._jit import jit
from .._simd import lanes, load, load_first, select, store, store_first

# Sums run in lanes of the array's dtype over at most so many elements, then go on in float64.
BLOCK = 1024

# One thread needs about 15 us for this much, as long as the others need to wake.
SERIAL_BELOW = 1 << 15

# Not more: parts read memory a second time that a whole group would have found in the cache.
_ENOUGH_TASKS = 8


def part_count(groups: int, samples: int, elements: int) -> int:
    """In how many parts to split the samples of each group."""
    if elements < SERIAL_BELOW or groups == 0:
        return 1
    return max(1, min(samples, _ENOUGH_TASKS // groups))


@jit
def part_bounds(part, parts, samples):
    """The first sample of a part, and the first behind it."""
    return samples * part // parts, samples * (part + 1) // parts


@jit
def load_some(array, start, count, fill):
    """`count` elements, at most one value's; `fill` in lanes beyond them."""
    if count == lanes(array):
        return load(array, start)
    return load_first(array, start, count, fill)


@jit
def store_some(array, start, count, value):
    if count == lanes(array):
        store(array, start, value)
    else:
        store_first(array, start, count, value)


@jit
def load_slope(dy, y, start, count, relu):
    """dy behind batch normalization: with ReLU fused, it passes where y > 0."""
    slope = load_some(dy, start, count, 0.0)
    if relu:
        slope = select(load_some(y, start, count, 0.0) <= 0.0, 0.0, slope)
    return slope


@jit
def block_moments(count, shift, total, squares):
    """Mean and sum of squared deviations, from the sums of x - shift and of its square."""
    offset = total / count
    spread = squares - total * offset
    # Rounding may bring equal elements below zero; written so that NaN stays.
    return shift + offset, 0.0 if spread < 0.0 else spread


@jit
def merge_moments(count, mean, squares, more, more_mean, more_squares):
    """The same two of a union (Chan, Golub & LeVeque 1979)."""
    share = more / (count + more)
    apart = more_mean - mean
    return mean + apart * share, squares + more_squares + apart * apart * count * share


@jit
def forward_line(mean, head, var, gamma, beta, eps):
    """y = (x - head) * scale + offset; offset takes what head, mean in x's dtype, cuts off."""
    scale = gamma / np.sqrt(var + eps)
    return scale, beta - (mean - head) * scale


@jit
def gradient_line(count, total, product, mean, head, var, gamma, eps):
    """dgamma, and dx = scale * dy + slant * (x - head) + level as README.md derives it.

    total is the sum of dy, product that of dy * (x - head), both over count elements.
    """
    tail = mean - head
    rstd = 1.0 / np.sqrt(var + eps)
    dgamma = (product - tail * total) * rstd
    scale = gamma * rstd
    slant = -scale * rstd * dgamma / count
    return dgamma, scale, slant, -scale * total / count - slant * tail
