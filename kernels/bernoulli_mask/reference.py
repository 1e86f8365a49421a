"""Bernoulli mask in NumPy: the oracle. Salmon et al. 2011 for the random numbers."""

import numpy as np

ROUNDS = 10
MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL = 0x9E3779B9, 0xBB67AE85
LOW = 0xFFFFFFFF

COUNTERS = 32
BLOCK = 4096
PLANE = 1 << 56


def philox4x32_10(counter, key):
    """Four random 32-bit words for each counter.

    counter  four uint64 arrays of one shape, each holding 32-bit words, lowest word first
    key      two integers below 2^32

    Returns four such arrays.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(ROUNDS):
        product0, product1 = c0 * MULTIPLIERS[0], c2 * MULTIPLIERS[1]
        c0, c1, c2, c3 = (
            (product1 >> 32) ^ c1 ^ k0,
            product1 & LOW,
            (product0 >> 32) ^ c3 ^ k1,
            product0 & LOW,
        )
        k0, k1 = (k0 + WEYL[0]) & LOW, (k1 + WEYL[1]) & LOW
    return c0, c1, c2, c3


def random_words(seed, stream, blocks, plane=0):
    """The words of `blocks` blocks, (128 * blocks,) uint32; layout: kernels._philox."""
    counter = np.arange(COUNTERS * blocks, dtype=np.uint64) + np.uint64(plane * PLANE)
    constant = np.zeros_like(counter)
    words = philox4x32_10(
        (counter & LOW, counter >> 32, constant + (stream & LOW), constant + (stream >> 32)),
        (seed & LOW, seed >> 32),
    )
    words = np.stack([w.reshape(blocks, COUNTERS) for w in words], axis=1).reshape(-1)
    return words.astype(np.uint32)


def random_numbers(seed, stream, blocks):
    """A number of 32 bits for each of 4096 elements a block: digit j is the bit of plane j."""
    numbers = np.zeros(BLOCK * blocks, np.uint32)
    for plane in range(32):
        words = random_words(seed, stream, blocks, plane).astype("<u4")
        numbers = 2 * numbers + np.unpackbits(words.view(np.uint8), bitorder="little")
    return numbers


def forward(x, seed, stream, threshold, scale, shift, fill, out_y, out_bits):
    """Draw which elements are kept, and keep those.

    x, out_y      (size,) float32 | float64
    seed, stream  integers below 2^64
    threshold     an element is kept where its number >= threshold
    out_bits      (whole blocks of 4096 bits,) uint8; bit i % 8 of byte i // 8: element i is kept
    """
    draw(seed, stream, threshold, out_bits)
    apply(x, out_bits, scale, shift, fill, out_y)


def draw(seed, stream, threshold, out_bits):
    """The mask alone."""
    kept = random_numbers(seed, stream, 8 * out_bits.size // BLOCK) >= threshold
    out_bits[...] = np.packbits(kept, bitorder="little")


def apply(x, bits, scale, shift, fill, out_y):
    """x * scale + shift where the bit is set, else fill."""
    apply_planes(x, bits, 1, scale, shift, fill, out_y)


def apply_planes(x, bits, plane, scale, shift, fill, out_y):
    """The same, where `plane` successive elements share a bit."""
    kept = np.unpackbits(bits, count=x.size // plane, bitorder="little").astype(bool)
    kept = np.repeat(kept, plane)
    out_y[...] = fill
    with np.errstate(over="ignore", invalid="ignore"):
        out_y[kept] = x[kept] * x.dtype.type(scale) + x.dtype.type(shift)
