"""Bernoulli mask in NumPy: the oracle. Salmon et al. 2011 for the random numbers."""

import numpy as np

ROUNDS = 10
MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL = 0x9E3779B9, 0xBB67AE85
LOW = 0xFFFFFFFF

BLOCK = 128
COUNTERS = 32


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


def random_words(seed, stream, blocks):
    """The words of `blocks` blocks of elements, (128 * blocks,) uint64; layout: kernels._philox."""
    counter = np.arange(COUNTERS * blocks, dtype=np.uint64)
    constant = np.zeros_like(counter)
    words = philox4x32_10(
        (counter & LOW, counter >> 32, constant + (stream & LOW), constant + (stream >> 32)),
        (seed & LOW, seed >> 32),
    )
    return np.stack([w.reshape(blocks, COUNTERS) for w in words], axis=1).reshape(-1)


def forward(x, seed, stream, threshold, scale, out_y, out_bits):
    """Draw which elements are kept, and keep those.

    x, out_y      (size,) float32 | float64
    seed, stream  integers below 2^64
    threshold     an element is kept where its word >= threshold
    out_bits      (whole blocks of 128 bits,) uint8; bit i % 8 of byte i // 8: element i is kept
    """
    kept = random_words(seed, stream, 8 * out_bits.size // BLOCK) >= threshold
    out_bits[...] = np.packbits(kept, bitorder="little")
    apply(x, out_bits, scale, out_y)


def apply(x, bits, scale, out_y):
    """x * scale where the bit is set, else 0."""
    kept = np.unpackbits(bits, count=x.size, bitorder="little").astype(bool)
    out_y[...] = 0
    with np.errstate(over="ignore"):
        np.multiply(x, x.dtype.type(scale), out=out_y, where=kept)
