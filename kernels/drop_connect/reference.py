"""DropConnect in NumPy: the oracle. Wan et al. 2013; Salmon et al. 2011 for the random bits."""

import numpy as np

LOW = 0xFFFFFFFF


def random_words(seed, stream, counter):
    """Philox4x32-10: four words for each counter, (4, counters)."""
    c0, c1 = counter & LOW, counter >> 32
    c2, c3 = np.zeros_like(c0) + (stream & LOW), np.zeros_like(c0) + (stream >> 32)
    k0, k1 = seed & LOW, seed >> 32
    for _ in range(10):
        p0, p1 = c0 * np.uint64(0xD2511F53), c2 * np.uint64(0xCD9E8D57)
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & LOW, (p0 >> 32) ^ c3 ^ k1, p0 & LOW
        k0, k1 = (k0 + 0x9E3779B9) & LOW, (k1 + 0xBB67AE85) & LOW
    return np.stack([c0, c1, c2, c3])


def masks(seed, stream, threshold, groups, units, inputs):
    """(groups, units, inputs) of booleans: the coins of kernels._philox where the op says."""
    rows, pitch = -(-units // 32) * 32, -(-inputs // 128) * 128
    blocks = groups * rows * pitch // 4096
    counter = np.arange(32 * blocks, dtype=np.uint64)
    numbers = np.zeros(4096 * blocks, np.uint32)
    for plane in range(32):
        words = random_words(seed, stream, counter + np.uint64(plane << 56))
        words = words.reshape(4, blocks, 32).transpose(1, 0, 2).astype("<u4")
        digits = np.unpackbits(np.ascontiguousarray(words).view(np.uint8), bitorder="little")
        numbers = 2 * numbers + digits.reshape(-1)
    return (numbers >= threshold).reshape(groups, rows, pitch)[:, :units, :inputs]


def forward(x, weight, bias, seed, stream, threshold, share, out_y):
    """y[n] = (M * W) x[n] + b with the mask of n's group.

    x             (N, in) float32 | float64
    weight, bias  (out, in), (out,) or (0,)
    seed, stream  integers below 2^64
    threshold     a weight is kept where its random number of 32 bits >= threshold
    share         how many successive examples have one mask
    out_y         (N, out)
    """
    mask = _mask_of_each(x, weight, seed, stream, threshold, share)
    out_y[...] = np.einsum("noi,oi,ni->no", mask, weight, x)
    if bias.size:
        out_y += bias


def backward(dy, x, weight, seed, stream, threshold, share, out_dx, out_dweight):
    """dx[n] = (M * W)' dy[n]; dW = sum over n of M * (dy[n] x[n]'). Not those that are empty."""
    mask = _mask_of_each(x, weight, seed, stream, threshold, share)
    if out_dx.size:
        out_dx[...] = np.einsum("noi,oi,no->ni", mask, weight, dy)
    if out_dweight.size:
        out_dweight[...] = np.einsum("noi,no,ni->oi", mask, dy, x)


def _mask_of_each(x, weight, seed, stream, threshold, share):
    groups = -(-len(x) // share)
    drawn = masks(seed, stream, threshold, groups, *weight.shape)
    return np.repeat(drawn, share, axis=0)[: len(x)].astype(x.dtype)
