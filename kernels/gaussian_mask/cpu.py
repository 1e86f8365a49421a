"""Gaussian mask in SIMD values.

x, out_y     (size,) float32 | float64
noise, out_z (whole blocks of 128,) float32 | float64; the start of noise belongs to x
seed, stream uint64

Bound: some 110 vector operations make 16 normal numbers, 30 of them the logarithm, sine and
cosine, the rest Philox: 1.5 ns an element. Backward moves 12 bytes of float32 an element.
"""

import numpy as np

from kernels._jit import parallel
from kernels._philox import COUNTERS, WORDS
from kernels._simd import lanes, load_some, store_as, store_some
from kernels._tasks import share_out
from kernels.gaussian_mask.normals import normals

# Elements a task: 12 us to draw; and 2 us to apply, serial below two tasks.
_SPAN = 64
_CHUNK = 1 << 14

# One counter a lane.
_LIKE = np.zeros(1, np.uint32)


def apply(x, noise, out_y):
    """x * noise."""
    tasks, span = share_out(x.size, _CHUNK, 2 * _CHUNK)
    _apply(tasks, x, noise, span, out_y)


def draw(mean, std, seed, stream, out_z):
    """Normal numbers."""
    blocks = out_z.size // WORDS
    _draw(-(-blocks // _SPAN), mean, std, seed, stream, out_z)


@parallel
def _draw(task, mean, std, seed, stream, out_z):
    for block in range(task * _SPAN, min((task + 1) * _SPAN, out_z.size // WORDS)):
        begin = 0
        while begin < COUNTERS:
            z0, z1, z2, z3 = normals(seed, stream, block, begin)
            i = WORDS * block + begin
            store_as(out_z, i, z0 * std + mean)
            store_as(out_z, i + COUNTERS, z1 * std + mean)
            store_as(out_z, i + 2 * COUNTERS, z2 * std + mean)
            store_as(out_z, i + 3 * COUNTERS, z3 * std + mean)
            begin += lanes(_LIKE)


@parallel
def _apply(task, x, noise, span, out_y):
    stop = min((task + 1) * span, x.size)
    for i in range(task * span, stop, lanes(x)):
        count = stop - i
        y = load_some(x, i, count, 0.0) * load_some(noise, i, count, 0.0)
        store_some(out_y, i, count, y)
