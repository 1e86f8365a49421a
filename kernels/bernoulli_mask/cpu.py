"""Bernoulli mask in SIMD values: draw bits block by block, apply them while x is in cache.

x, out_y        (size,) float32 | float64
seed, stream    uint64
threshold       uint32; an element is kept where its random word >= threshold
bits, out_bits  (ceil(size / 128) * 16,) uint8; bit i % 8 of byte i // 8 is element i
"""

from .._jit import jit, parallel, prange
from .._philox import BLOCK, draw_bits
from .._simd import lanes, load, load_bits, load_first, select, store, store_first

# Blocks a task: 8192 elements, about 6 us to draw.
_SPAN = 64


@parallel
def forward(x, seed, stream, threshold, scale, out_y, out_bits):
    """Bound by the multiplications of the draw, 0.7 ns an element and core; 8 bytes of float32."""
    blocks = out_bits.size * 8 // BLOCK
    if blocks <= _SPAN:
        _draw_and_apply(x, seed, stream, threshold, scale, 0, blocks, out_y, out_bits)
    else:
        for task in prange((blocks + _SPAN - 1) // _SPAN):
            first = task * _SPAN
            stop = min(first + _SPAN, blocks)
            _draw_and_apply(x, seed, stream, threshold, scale, first, stop, out_y, out_bits)


@parallel
def apply(x, bits, scale, out_y):
    """x * scale where the bit is set, else 0; bound by memory: 8 1/8 bytes of float32."""
    blocks = bits.size * 8 // BLOCK
    if blocks <= 2 * _SPAN:
        _apply(x, bits, scale, 0, blocks, out_y)
    else:
        for task in prange((blocks + _SPAN - 1) // _SPAN):
            first = task * _SPAN
            _apply(x, bits, scale, first, min(first + _SPAN, blocks), out_y)


@jit
def _draw_and_apply(x, seed, stream, threshold, scale, first, stop, out_y, out_bits):
    for block in range(first, stop):
        draw_bits(seed, stream, threshold, block, out_bits)
        _apply(x, out_bits, scale, block, block + 1, out_y)


@jit
def _apply(x, bits, scale, first, stop, out_y):
    end = min(BLOCK * stop, x.size)
    step = lanes(x)
    i = BLOCK * first
    while i + step <= end:
        store(out_y, i, select(load_bits(bits, i, x), load(x, i) * scale, 0.0))
        i += step
    if i < end:
        rest = load_first(x, i, end - i, 0.0)
        store_first(out_y, i, end - i, select(load_bits(bits, i, x), rest * scale, 0.0))
