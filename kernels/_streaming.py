"""Writing past the caches what would not stay there."""

from kernels._jit import jit
from kernels._simd import REGISTER_BYTES, lanes, store, stream

# Arrays of a pass that together exceed this do not stay in a cache of 32 MB.
_CACHES = 24 << 20


@jit
def past_caches(arrays, run, out):
    """Whether to write `out` past the caches, in runs of elements that are whole aligned values.

    A store that goes through them first reads what it overwrites. Where `arrays` arrays like `out`
    do not fit there, that costs a third of the time and saves nothing.
    """
    large = arrays * out.size * out.itemsize > _CACHES
    return large and run % lanes(out) == 0 and out.ctypes.data % REGISTER_BYTES == 0


@jit
def put(out, start, value, past):
    """Store a whole value, past the caches or not."""
    if past:
        stream(out, start, value)
    else:
        store(out, start, value)
