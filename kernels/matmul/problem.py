"""What is multiplied, as far as the choice of an algorithm depends on it."""

from typing import NamedTuple

# Multiply-adds below which a launch costs more than it saves: some 10 us of one core.
SERIAL = 1 << 19


class Problem(NamedTuple):
    """op(a) of (m, depth) times op(b) of (depth, n)."""

    m: int
    n: int
    depth: int
    itemsize: int
    transpose_a: bool
