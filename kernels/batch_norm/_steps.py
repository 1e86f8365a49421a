"""The steps that both layouts of batch normalization share.

A group is what one task owns: the planes of a channel, or a strip of columns. Where there are few
groups, the samples of each are split into parts, whose sums are put together in order. Groups and
parts follow from the shape alone, so the number of threads changes no bit.
"""

from kernels._jit import jit
from kernels._simd import REGISTER_BYTES, lanes
from kernels._tasks import share_out

# One thread needs about 15 us for this much, as long as the others need to wake.
SERIAL_BELOW = 1 << 15

# What an op touches beyond this is not in the caches when it comes round again.
_CACHES = 24 << 20

# Not more: parts read memory a second time that a whole group would have found in the cache.
_ENOUGH_TASKS = 8


def part_count(groups: int, samples: int, elements: int) -> int:
    """In how many parts to split the samples of each group."""
    if elements < SERIAL_BELOW or groups == 0:
        return 1
    return max(1, min(samples, _ENOUGH_TASKS // groups))


def shares(groups, parts, elements):
    """How many tasks there are, and how many parts of groups in each."""
    places = groups * parts
    return share_out(places, 1, places if elements < SERIAL_BELOW else 0)


@jit
def part_bounds(part, parts, samples):
    """The first sample of a part, and the first behind it."""
    return samples * part // parts, samples * (part + 1) // parts


@jit
def past_caches(arrays, x, out):
    """Whether to write `out`, shaped like x, past the caches, in whole values.

    A store that goes through them first reads what it overwrites. Where `arrays` arrays like x do
    not fit there, that costs a third of the time and saves nothing.
    """
    large = arrays * x.size * x.itemsize > _CACHES
    return large and x.shape[2] % lanes(x) == 0 and out.ctypes.data % REGISTER_BYTES == 0


@jit
def block_moments(count, shift, total, squares):
    """Mean and sum of squared deviations, from the sums of x - shift and of its square.

    Rounding may bring the second of equal elements below zero.
    """
    offset = total / count
    return shift + offset, squares - total * offset


@jit
def merge_moments(count, mean, squares, more, more_mean, more_squares):
    """The same two of a union (Chan, Golub & LeVeque 1979)."""
    share = more / (count + more)
    apart = more_mean - mean
    return mean + apart * share, squares + more_squares + apart * apart * (count * share)


@jit
def forward_line(mean, head, root, gamma, beta):
    """y = (x - head) * scale + offset; offset takes what head, mean in x's dtype, cuts off.

    root is that of var + eps.
    """
    scale = gamma / root
    return scale, beta - (mean - head) * scale


@jit
def gradient_line(count, total, product, mean, head, root, gamma):
    """dgamma, and dx = scale * dy + slant * (x - head) + level as README.md derives it.

    total is the sum of dy, product that of dy * (x - head), both over count elements; scale is
    forward_line's.
    """
    tail = mean - head
    dgamma = (product - tail * total) / root
    per_element = gamma / root / count
    slant = -(per_element * dgamma / root)
    return dgamma, slant, -(per_element * total) - slant * tail
