"""Gaussian mask in SIMD values.

x, out_y     (size,) float32 | float64
noise, out_z (whole blocks of 128,) float32 | float64; the start of noise belongs to x
seed, stream uint64

Bound: some 110 vector operations make 16 normal numbers, 30 of them the logarithm, sine and
cosine, the rest Philox: 1.5 ns an element. Backward moves 12 bytes of float32 an element.
"""

import numpy as np

from .._jit import jit, parallel_loops, prange
from .._philox import COUNTERS, WORDS
from .._simd import lanes, load, load_first, store, store_as, store_first
from .normals import normals

# Elements a task: 12 us to draw; and 2 us to apply, serial below two tasks.
_SPAN = 64
_CHUNK = 1 << 14

# One counter a lane.
_LIKE = np.zeros(1, np.uint32)


@parallel_loops
def apply(x, noise, out_y):
    """x * noise."""
    if x.size <= 2 * _CHUNK:
        _apply(x, noise, 0, x.size, out_y)
    else:
        for index in prange((x.size + _CHUNK - 1) // _CHUNK):
            task = np.int64(index)
            first = task * _CHUNK
            _apply(x, noise, first, min(first + _CHUNK, x.size), out_y)


@parallel_loops
def draw(mean, std, seed, stream, out_z):
    """Normal numbers."""
    blocks = out_z.size // WORDS
    if blocks <= _SPAN:
        _draw(mean, std, seed, stream, 0, blocks, out_z)
    else:
        for index in prange((blocks + _SPAN - 1) // _SPAN):
            task = np.int64(index)
            first = task * _SPAN
            _draw(mean, std, seed, stream, first, min(first + _SPAN, blocks), out_z)


@jit
def _draw(mean, std, seed, stream, first, stop, out_z):
    for block in range(first, stop):
        begin = 0
        while begin < COUNTERS:
            z0, z1, z2, z3 = normals(seed, stream, block, begin)
            i = WORDS * block + begin
            store_as(out_z, i, z0 * std + mean)
            store_as(out_z, i + COUNTERS, z1 * std + mean)
            store_as(out_z, i + 2 * COUNTERS, z2 * std + mean)
            store_as(out_z, i + 3 * COUNTERS, z3 * std + mean)
            begin += lanes(_LIKE)


@jit
def _apply(x, noise, first, stop, out_y):
    step = lanes(x)
    i = first
    while i + step <= stop:
        store(out_y, i, load(x, i) * load(noise, i))
        i += step
    if i < stop:
        rest = stop - i
        store_first(out_y, i, rest, load_first(x, i, rest, 0.0) * load_first(noise, i, rest, 0.0))
