"""How the work is cut, and where a task finds its head."""

from typing import NamedTuple

from kernels._jit import jit

# A panel of 256 keys is 16 KiB, half an L1 cache; strips of scores of 64 rows are 64 KiB of L2.
KEYS = 256
ROWS = 64


class Sizes(NamedTuple):
    batch: int  # N
    heads: int  # H
    rows: int  # L
    keys: int  # S
    width: int  # Ev
    depth: int  # E


@jit
def head_of(array, strides, n, h):
    """Head h of sample n as rows: (array, where the first starts, stride from row to row).

    strides  from sample to sample, from head to head, from row to row
    """
    return array, n * strides[0] + h * strides[1], strides[2]
