"""Values at the edge of a row, which part of their lanes may lie beyond."""

from kernels._jit import jit
from kernels._simd.memory import lanes, load, load_first, store, store_first
from kernels._simd.vector import REGISTER_BYTES

# Masked stores are as fast as others.
MASKS = REGISTER_BYTES == 64


@jit
def values_across(count, array):
    """How many values hold `count` elements, the last perhaps in part."""
    return (count + lanes(array) - 1) // lanes(array)


@jit
def load_some(array, start, count, fill):
    """A value, or its first `count` lanes where it has more, with `fill` in the others."""
    if count >= lanes(array):
        return load(array, start)
    return load_first(array, start, count, fill)


@jit
def store_some(array, start, count, value):
    """Write a value, or its first `count` lanes where it has more."""
    if count >= lanes(array):
        store(array, start, value)
    else:
        store_first(array, start, count, value)


@jit
def load_masked(array, start, count, fill):
    """As `load_some`, without a branch where registers have masks (AVX-512).

    For a loop of many accesses, which becomes one block of instructions, as the LSTM's; a loop of
    few accesses is slower by it.
    """
    if MASKS:
        return load_first(array, start, min(count, lanes(array)), fill)
    return load_some(array, start, count, fill)


@jit
def store_masked(array, start, count, value):
    """As `store_some`, without a branch where registers have masks."""
    if MASKS:
        store_first(array, start, min(count, lanes(array)), value)
    else:
        store_some(array, start, count, value)


@jit
def clear(array, start, count):
    """Zeros in `count` elements from `start` on."""
    for i in range(start, start + count):
        array[i] = 0.0
