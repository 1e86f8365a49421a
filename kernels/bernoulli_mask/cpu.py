"""Bernoulli mask in SIMD values: draw bits block by block, apply them while x is in cache.

x, out_y            (size,) float32 | float64
seed, stream        uint64
threshold           uint32; an element is kept where its random number >= threshold / 2^32
bits, out_bits      (ceil(size / 4096) * 512,) uint8; bit i % 8 of byte i // 8 is element i
scale, shift, fill  y = x * scale + shift where kept, else fill

Bound: forward and backward move 8 bytes of float32 an element, and 1/8 byte of bits. The draw
takes 0.025 ns an element for each digit of the probability that is needed: `kernels._philox`.
"""

import numpy as np

from .._jit import jit, parallel_loops, prange
from .._philox import BLOCK, BLOCK_BYTES, draw_bits
from .._simd import fma, full, lanes, load, load_bits, load_first, select, store, store_first

# Blocks a task: 16384 elements, 2 us and more.
_SPAN = 4

# Elements a task of whole planes.
_CHUNK = 1 << 14


@parallel_loops
def forward(x, seed, stream, threshold, scale, shift, fill, out_y, out_bits):
    """Draw the mask and apply it, one pass over memory."""
    blocks = out_bits.size // BLOCK_BYTES
    if blocks <= _SPAN:
        _draw_and_apply(x, seed, stream, threshold, scale, shift, fill, 0, blocks, out_y, out_bits)
    else:
        for index in prange((blocks + _SPAN - 1) // _SPAN):
            task = np.int64(index)
            first = task * _SPAN
            stop = min(first + _SPAN, blocks)
            _draw_and_apply(
                x, seed, stream, threshold, scale, shift, fill, first, stop, out_y, out_bits
            )


@parallel_loops
def apply(x, bits, scale, shift, fill, out_y):
    """Apply a mask that was drawn before."""
    blocks = bits.size // BLOCK_BYTES
    if blocks <= 2 * _SPAN:
        _apply(x, bits, scale, shift, fill, 0, blocks, out_y)
    else:
        for index in prange((blocks + _SPAN - 1) // _SPAN):
            task = np.int64(index)
            first = task * _SPAN
            _apply(x, bits, scale, shift, fill, first, min(first + _SPAN, blocks), out_y)


@parallel_loops
def draw(seed, stream, threshold, out_bits):
    """The mask alone."""
    blocks = out_bits.size // BLOCK_BYTES
    if blocks <= _SPAN:
        for block in range(blocks):
            draw_bits(seed, stream, threshold, block, out_bits, BLOCK_BYTES * block)
    else:
        for index in prange(blocks):
            block = np.int64(index)
            draw_bits(seed, stream, threshold, block, out_bits, BLOCK_BYTES * block)


@parallel_loops
def apply_planes(x, bits, plane, scale, shift, fill, out_y):
    """As `apply`, where `plane` successive elements share a bit."""
    planes = x.size // plane
    if x.size <= 2 * _CHUNK:
        _apply_planes(x, bits, plane, scale, shift, fill, 0, planes, out_y)
    else:
        span = max(1, _CHUNK // plane)
        for index in prange((planes + span - 1) // span):
            task = np.int64(index)
            first = task * span
            stop = min(first + span, planes)
            _apply_planes(x, bits, plane, scale, shift, fill, first, stop, out_y)


@jit
def _draw_and_apply(x, seed, stream, threshold, scale, shift, fill, first, stop, out_y, out_bits):
    for block in range(first, stop):
        draw_bits(seed, stream, threshold, block, out_bits, BLOCK_BYTES * block)
        _apply(x, out_bits, scale, shift, fill, block, block + 1, out_y)


@jit
def _apply(x, bits, scale, shift, fill, first, stop, out_y):
    end = min(BLOCK * stop, x.size)
    step = lanes(x)
    scales, shifts, fills = full(x, scale), full(x, shift), full(x, fill)
    i = BLOCK * first
    while i + step <= end:
        kept = fma(load(x, i), scales, shifts)
        store(out_y, i, select(load_bits(bits, i, x), kept, fills))
        i += step
    if i < end:
        kept = fma(load_first(x, i, end - i, 0.0), scales, shifts)
        store_first(out_y, i, end - i, select(load_bits(bits, i, x), kept, fills))


@jit
def _apply_planes(x, bits, plane, scale, shift, fill, first, stop, out_y):
    step = lanes(x)
    scales, shifts, fills = full(x, scale), full(x, shift), full(x, fill)
    for p in range(first, stop):
        i, end = p * plane, (p + 1) * plane
        kept = bits[p >> 3] >> (p & 7) & 1
        while i + step <= end:
            store(out_y, i, fma(load(x, i), scales, shifts) if kept else fills)
            i += step
        if i < end:
            rest = end - i
            values = fma(load_first(x, i, rest, 0.0), scales, shifts) if kept else fills
            store_first(out_y, i, rest, values)
