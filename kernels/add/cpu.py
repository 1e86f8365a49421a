"""The sum of two arrays on all threads: 3 elements moved for an addition."""

from kernels._jit import parallel
from kernels._simd import lanes, load, load_first, store, store_first

# Elements a task.
CHUNK = 1 << 15


@parallel
def _add(chunk, a, b, out_y):
    step = lanes(a)
    i, stop = chunk * CHUNK, min(a.size, chunk * CHUNK + CHUNK)
    while i + step <= stop:
        store(out_y, i, load(a, i) + load(b, i))
        i += step
    if i < stop:
        rest = stop - i
        store_first(out_y, i, rest, load_first(a, i, rest, 0.0) + load_first(b, i, rest, 0.0))


def forward(a, b, out_y):
    """a, b, out_y  (M,). Parallel over chunks of elements."""
    _add(-(-a.size // CHUNK), a, b, out_y)
