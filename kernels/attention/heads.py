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
def head_of(array, n, h):
    """Head h of sample n as rows: the memory, where the first starts, from row to row.

    array  (the memory, strides from sample to sample, head to head, row to row)
    """
    memory, of_sample, of_head, of_row = array
    return memory, n * of_sample + h * of_head, of_row
