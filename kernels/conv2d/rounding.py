"""Sizes in whole tiles, registers or parts."""

from kernels._jit import jit


def pieces(number: int, size: int) -> int:
    """How many pieces of at most `size` there are."""
    return -(-number // size)


def up(number: int, multiple: int) -> int:
    """The least multiple that is no less than a number."""
    return -(-number // multiple) * multiple


round_up = jit(up)
