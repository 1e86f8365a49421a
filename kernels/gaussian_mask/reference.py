"""Gaussian mask in NumPy: the oracle. Box & Muller 1958; Salmon et al. 2011 for the words."""

import numpy as np

COUNTERS, WORDS = 32, 128
LOW = 0xFFFFFFFF


def random_words(seed, stream, blocks):
    """Philox4x32-10: four words of `blocks` blocks of 32 counters, (4, blocks, 32)."""
    c0 = np.arange(COUNTERS * blocks, dtype=np.uint64)
    c1, c2, c3 = c0 >> 32, np.zeros_like(c0) + (stream & LOW), np.zeros_like(c0) + (stream >> 32)
    c0, k0, k1 = c0 & LOW, seed & LOW, seed >> 32
    for _ in range(10):
        p0, p1 = c0 * np.uint64(0xD2511F53), c2 * np.uint64(0xCD9E8D57)
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & LOW, (p0 >> 32) ^ c3 ^ k1, p0 & LOW
        k0, k1 = (k0 + 0x9E3779B9) & LOW, (k1 + 0xBB67AE85) & LOW
    return np.stack([c0, c1, c2, c3]).reshape(4, blocks, COUNTERS)


def draw(mean, std, seed, stream, out_z):
    """Normal numbers; two words make two: a radius, a sign, a swap and an angle.

    out_z         (whole blocks of 128,) float32 | float64
    seed, stream  integers below 2^64
    """
    words = random_words(seed, stream, out_z.size // WORDS)
    u, v = words[0::2], words[1::2]
    radius = np.sqrt(-2 * np.log(((u >> 1) + 0.5) / 2**31)) * np.where(v >> 31, -1, 1)
    angle = ((v & 2**30 - 1) - 2.0**29) / 2**30 * np.pi / 2
    swapped = (v >> 30 & 1).astype(bool)
    first = radius * np.where(swapped, np.sin(angle), np.cos(angle))
    second = radius * np.where(swapped, np.cos(angle), np.sin(angle))
    z = np.stack([first, second], axis=2).transpose(1, 0, 2, 3).reshape(-1)
    out_z[...] = mean + std * z


def apply(x, noise, out_y):
    """x * noise, whose start belongs to x."""
    out_y[...] = x * noise[: x.size]
