"""Bernoulli mask in SIMD values: draw bits block by block, apply them while x is in cache.

x, out_y            (size,) float32 | float64
seed, stream        uint64
threshold           uint32; an element is kept where its random number >= threshold / 2^32
bits, out_bits      (ceil(size / 4096) * 512,) uint8; bit i % 8 of byte i // 8 is element i
scale, shift, fill  y = x * scale + shift where kept, else fill

Bound: forward and backward move 8 bytes of float32 an element, and 1/8 byte of bits. The draw
takes 0.025 ns an element for each digit of the probability that is needed: `kernels._philox`.
"""

from kernels._jit import jit, parallel
from kernels._philox import BLOCK, BLOCK_BYTES, draw_bits
from kernels._simd import fma, full, lanes, load_bits, load_some, select, store_some
from kernels._tasks import share_out

# Blocks a task: 16384 elements, 2 us and more.
_SPAN = 4

# Elements a task of whole planes.
_CHUNK = 1 << 14


def forward(x, seed, stream, threshold, scale, shift, fill, out_y, out_bits):
    """Draw the mask and apply it, one pass over memory."""
    blocks = out_bits.size // BLOCK_BYTES
    mask, affine = (seed, stream, threshold), (scale, shift, fill)
    _draw_and_apply(-(-blocks // _SPAN), x, mask, affine, out_y, out_bits)


def apply(x, bits, scale, shift, fill, out_y):
    """Apply a mask that was drawn before."""
    tasks, span = share_out(bits.size // BLOCK_BYTES, _SPAN, 2 * _SPAN)
    _apply(tasks, x, bits, (scale, shift, fill), span, out_y)


def draw(seed, stream, threshold, out_bits):
    """The mask alone."""
    tasks, span = share_out(out_bits.size // BLOCK_BYTES, 1, _SPAN)
    _draw(tasks, (seed, stream, threshold), span, out_bits)


def apply_planes(x, bits, plane, scale, shift, fill, out_y):
    """As `apply`, where `plane` successive elements share a bit."""
    tasks, span = share_out(x.size // plane, max(1, _CHUNK // plane), 2 * _CHUNK // plane)
    _apply_planes(tasks, x, bits, plane, (scale, shift, fill), span, out_y)


@parallel
def _draw_and_apply(task, x, mask, affine, out_y, out_bits):
    seed, stream, threshold = mask
    blocks = out_bits.size // BLOCK_BYTES
    for block in range(task * _SPAN, min((task + 1) * _SPAN, blocks)):
        draw_bits(seed, stream, threshold, block, out_bits, BLOCK_BYTES * block)
        _apply_blocks(x, out_bits, affine, block, block + 1, out_y)


@parallel
def _apply(task, x, bits, affine, span, out_y):
    _apply_blocks(x, bits, affine, task * span, (task + 1) * span, out_y)


@parallel
def _draw(task, mask, span, out_bits):
    seed, stream, threshold = mask
    for block in range(task * span, min((task + 1) * span, out_bits.size // BLOCK_BYTES)):
        draw_bits(seed, stream, threshold, block, out_bits, BLOCK_BYTES * block)


@jit
def _apply_blocks(x, bits, affine, first, stop, out_y):
    scale, shift, fill = affine
    end = min(BLOCK * stop, x.size)
    scales, shifts, fills = full(x, scale), full(x, shift), full(x, fill)
    for i in range(BLOCK * first, end, lanes(x)):
        kept = fma(load_some(x, i, end - i, 0.0), scales, shifts)
        store_some(out_y, i, end - i, select(load_bits(bits, i, x), kept, fills))


@parallel
def _apply_planes(task, x, bits, plane, affine, span, out_y):
    scale, shift, fill = affine
    scales, shifts, fills = full(x, scale), full(x, shift), full(x, fill)
    for p in range(task * span, min((task + 1) * span, x.size // plane)):
        end = (p + 1) * plane
        kept = bits[p >> 3] >> (p & 7) & 1
        for i in range(p * plane, end, lanes(x)):
            values = fma(load_some(x, i, end - i, 0.0), scales, shifts) if kept else fills
            store_some(out_y, i, end - i, values)
