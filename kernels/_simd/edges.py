"""Values at the edge of a row, which part of their lanes may lie beyond."""

from kernels._jit import jit
from kernels._simd.arithmetic import full
from kernels._simd.memory import lanes, load, load_first, store, store_first


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
def clear(array, start, count):
    """Zeros in `count` elements from `start` on."""
    for i in range(0, count, lanes(array)):
        store_some(array, start + i, count - i, full(array, 0.0))
