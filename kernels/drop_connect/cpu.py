"""DropConnect with a mask an example, in SIMD values.

x, out_dx            (N, in) float32 | float64, C-contiguous
weight, out_dweight  (out, in); bias (out,) or (0,); dy, out_y (N, out)
                     a gradient that nobody needs is empty
seed, stream         uint64
threshold            uint32; a weight is kept where its random number >= threshold / 2^32
work_bits            (threads, bits of 32 rows / 8) uint8
work_dx              (partial sums, N, in), empty where out_dx is

Bound: a mask element is drawn in 0.03 ns for p = 1/2 (one random bit), 0.3 ns for most p, and
used in 0.1 ns forward, 0.2 ns backward: weights, bits and the example come from cache.
"""

import numpy as np

from kernels._jit import jit, parallel, thread_id, thread_rows
from kernels._philox import BLOCK, BLOCK_BYTES, draw_bits
from kernels._simd import (
    fma,
    full,
    lanes,
    load,
    load_bits,
    load_some,
    select,
    store_some,
    sum_lanes,
)

# Rows that are drawn together: of a pitch of 128 they fill whole blocks.
_ROWS = 32
_PITCH = 128

# The sums over rows are cut into so many parts at most, whatever the number of threads.
_PARTS = 8

# Where there are few rows, the examples are shared out among so many tasks.
_SLICES = 8


def _parts(units):
    """How many partial sums dx is added up from."""
    return min(_PARTS, -(-units // _ROWS))


def forward_scratch(weight):
    return {"work_bits": ((thread_rows(), -(-weight.shape[1] // _PITCH) * BLOCK_BYTES), np.uint8)}


def backward_scratch(x, weight, out_dx):
    sums = _parts(len(weight)) if out_dx.size else 0
    return forward_scratch(weight) | {"work_dx": ((sums, *x.shape), x.dtype)}


@jit
def _draw_chunk(seed, stream, threshold, group, chunk, units, inputs, bits):
    """Rows 32 chunk and on of a group's mask."""
    blocks_of_chunk = (inputs + _PITCH - 1) // _PITCH
    chunks = (units + _ROWS - 1) // _ROWS
    rows = min(_ROWS, units - chunk * _ROWS)
    first = (group * chunks + chunk) * blocks_of_chunk
    for block in range((rows * blocks_of_chunk * _PITCH + BLOCK - 1) // BLOCK):
        draw_bits(seed, stream, threshold, first + block, bits, BLOCK_BYTES * block)


def forward(x, weight, bias, seed, stream, threshold, share, work_bits, out_y):
    """Parallel over chunks of rows and, where these are few, slices of the groups."""
    n, units = out_y.shape
    chunks = -(-units // _ROWS)
    slices = 1 if chunks >= _SLICES else min(_SLICES, -(-n // share))
    mask = seed, stream, threshold, share
    _forward(chunks * slices, x, weight, bias, mask, slices, work_bits, out_y)


@parallel
def _forward(task, x, weight, bias, mask, slices, work_bits, out_y):
    seed, stream, threshold, share = mask
    n, units = out_y.shape
    inputs = weight.shape[1]
    groups = (n + share - 1) // share
    chunk, part = task // slices, task % slices
    bits = work_bits[thread_id()]
    for group in range(groups * part // slices, groups * (part + 1) // slices):
        _draw_chunk(seed, stream, threshold, group, chunk, units, inputs, bits)
        for o in range(chunk * _ROWS, min((chunk + 1) * _ROWS, units)):
            for example in range(group * share, min((group + 1) * share, n)):
                value = _masked_dot(weight, o, bits, o - chunk * _ROWS, x, example)
                out_y[example, o] = bias[o] + value if bias.size else value


@jit
def _masked_dot(weight, o, bits, row, x, example):
    inputs = weight.shape[1]
    width = lanes(x)
    pitch = (inputs + _PITCH - 1) // _PITCH * _PITCH
    from_w, from_bits, from_x = o * inputs, row * pitch, example * inputs
    one, other = full(x, 0.0), full(x, 0.0)
    i = 0
    while i + 2 * width <= inputs:
        w = select(load_bits(bits, from_bits + i, x), load(weight, from_w + i), 0.0)
        one = fma(w, load(x, from_x + i), one)
        i += width
        w = select(load_bits(bits, from_bits + i, x), load(weight, from_w + i), 0.0)
        other = fma(w, load(x, from_x + i), other)
        i += width
    while i < inputs:
        w = load_some(weight, from_w + i, inputs - i, 0.0)
        w = select(load_bits(bits, from_bits + i, x), w, 0.0)
        one = fma(w, load_some(x, from_x + i, inputs - i, 0.0), one)
        i += width
    return sum_lanes(one) + sum_lanes(other)


def backward(
    dy, x, weight, seed, stream, threshold, share, work_bits, work_dx, out_dx, out_dweight
):
    """One pass for both gradients. A part sums its rows' share of dx; then the parts are added."""
    mask, count = (seed, stream, threshold, share), _parts(dy.shape[1])
    _backward_part(count, dy, x, weight, mask, count, work_bits, work_dx, out_dweight)
    if out_dx.size:
        _add_parts(x.shape[0], work_dx, out_dx)


@parallel
def _backward_part(part, dy, x, weight, mask, count, work_bits, work_dx, out_dweight):
    seed, stream, threshold, share = mask
    n, units = dy.shape
    inputs = weight.shape[1]
    chunks, groups = (units + _ROWS - 1) // _ROWS, (n + share - 1) // share
    bits = work_bits[thread_id()]
    if work_dx.size:
        work_dx[part] = 0.0
    for chunk in range(chunks * part // count, chunks * (part + 1) // count):
        last = min((chunk + 1) * _ROWS, units)
        if out_dweight.size:
            out_dweight[chunk * _ROWS : last] = 0.0
        for group in range(groups):
            _draw_chunk(seed, stream, threshold, group, chunk, units, inputs, bits)
            for o in range(chunk * _ROWS, last):
                row = o - chunk * _ROWS
                for example in range(group * share, min((group + 1) * share, n)):
                    _add_gradients(
                        dy[example, o], weight, o, bits, row, x, example, work_dx, part * n,
                        out_dweight,
                    )  # fmt: skip


@jit
def _add_gradients(g, weight, o, bits, row, x, example, dx, before, dweight):
    """dx += g (M * W)[o], dW[o] += M[o] * (g x), those of them that are not empty."""
    inputs = weight.shape[1]
    pitch = (inputs + _PITCH - 1) // _PITCH * _PITCH
    from_w, from_bits, from_x = o * inputs, row * pitch, example * inputs
    from_dx = (before + example) * inputs
    for i in range(0, inputs, lanes(x)):
        count = inputs - i
        kept = load_bits(bits, from_bits + i, x)
        if dx.size:
            w = select(kept, load_some(weight, from_w + i, count, 0.0), 0.0)
            store_some(dx, from_dx + i, count, fma(w, g, load_some(dx, from_dx + i, count, 0.0)))
        if dweight.size:
            values = select(kept, load_some(x, from_x + i, count, 0.0), 0.0)
            old = load_some(dweight, from_w + i, count, 0.0)
            store_some(dweight, from_w + i, count, fma(values, g, old))


@parallel
def _add_parts(example, work_dx, out_dx):
    for i in range(out_dx.shape[1]):
        total = 0.0
        for part in range(work_dx.shape[0]):
            total += work_dx[part, example, i]
        out_dx[example, i] = total
