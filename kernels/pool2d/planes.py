"""Planes, shared out in groups: each group is a task."""

import numpy as np

from kernels._jit import jit
from kernels._tasks import share_out

# Elements of a task, 10 to 20 us of work.
_TASK = 1 << 14


def in_groups(images: np.ndarray, size: int) -> tuple[int, int]:
    """The number of groups, and of planes in each but the last.

    images  (N, C, ...)
    size    elements that a plane is work for
    """
    return share_out(images.shape[0] * images.shape[1], max(1, _TASK // size), 0)


@jit
def clear(run):
    for i in range(run.size):
        run[i] = 0


@jit
def planes_of(task, group, images):
    """The first plane of a task, and the one behind its last; images (N, C, ...)."""
    planes = images.shape[0] * images.shape[1]
    return task * group, min((task + 1) * group, planes)
