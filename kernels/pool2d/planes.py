"""Planes, shared out in groups: each group is a task."""

from .._jit import jit

# Elements of a task, 10 to 20 us of work.
_TASK = 1 << 14


def in_groups(planes: int, size: int) -> tuple[int, int]:
    """The number of groups, and of planes in each but the last; planes have `size` elements."""
    group = max(1, _TASK // size)
    return -(-planes // group), group


@jit
def planes_of(task, group, images):
    """The first plane of a task, and the one behind its last; images (N, C, ...)."""
    planes = images.shape[0] * images.shape[1]
    return task * group, min((task + 1) * group, planes)
