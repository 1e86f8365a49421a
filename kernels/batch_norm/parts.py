"""What a task of batch normalization takes.

A group is the planes of a channel, or a strip of columns. Where there are few groups, the samples
of each are split into parts, whose sums are put together in order. A place is a part of a group.
All of it follows from the shape alone, so the number of threads changes no bit.
"""

from kernels._jit import jit
from kernels._tasks import share_out

# One thread needs about 15 us for this much, as long as the others need to wake.
_ALONE = (1 << 15) - 1

# Not more: parts read memory a second time that a whole group would have found in the cache.
_ENOUGH_TASKS = 8


def part_count(groups: int, samples: int, elements: int) -> int:
    """In how many parts to split the samples of each group."""
    if elements <= _ALONE or groups == 0:
        return 1
    return max(1, min(samples, _ENOUGH_TASKS // groups))


def share_places(groups: int, parts: int, elements: int) -> tuple[int, int]:
    """How many tasks there are, and how many places in each."""
    places = groups * parts
    return share_out(places, 1, places if elements <= _ALONE else 0)


@jit
def part_bounds(part, parts, samples):
    """The first sample of a part, and the first behind it."""
    return samples * part // parts, samples * (part + 1) // parts
