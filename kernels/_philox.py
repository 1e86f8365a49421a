"""Counter-based random numbers: Philox4x32-10 (Salmon et al. 2011) in vector lanes.

A random word is a pure function of (seed, stream, element), whatever the shape, the number of
threads and the width of the processor's registers. Elements come in blocks of 128, drawn from
32 counters of four words each:

    counter   32 * (element // 128) + element % 32, 64 bits: Philox's counter words 0 (low) and 1
    stream    64 bits: counter words 2 (low) and 3
    seed      64 bits: key words 0 (low) and 1
    element   takes output word (element % 128) // 32

so that the four words of neighbouring counters go to four runs of neighbouring elements.
"""

import numpy as np
from numba.core import types
from numba.extending import intrinsic

from ._jit import jit
from ._simd import Vector, lanes, llvm_vector, load, store_bits

BLOCK = 128
COUNTERS = 32

_ROUNDS = 10
_MULTIPLIER_0, _MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL_0, _WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)

# Loaded from position 0: the even counters of as many lanes as the processor has.
_EVEN = np.arange(0, COUNTERS, 2, dtype=np.uint64)


@intrinsic
def _as_words(typingctx, pairs):
    """64-bit lanes as twice as many lanes of 32 bits, the low half first."""
    words = Vector(types.uint32, 2 * pairs.lanes)

    def codegen(context, builder, sig, args):
        return builder.bitcast(args[0], llvm_vector(words))

    return words(pairs), codegen


@jit
def philox4x32_10(c0, c1, c2, c3, k0, k1):
    """Encrypt counters in 64-bit lanes; only the low half of each result counts.

    c0, c1, c2, c3  the counters' words; k0, k1  the key's, as numbers below 2^32
    """
    for _ in range(_ROUNDS):
        product0 = (c0 & _LOW) * _MULTIPLIER_0
        product1 = (c2 & _LOW) * _MULTIPLIER_1
        c0, c2 = (product1 >> _HALF) ^ c1 ^ k0, (product0 >> _HALF) ^ c3 ^ k1
        c1, c3 = product1, product0
        k0, k1 = (k0 + _WEYL_0) & _LOW, (k1 + _WEYL_1) & _LOW
    return c0, c1, c2, c3


@jit
def _encrypt(counter, seed, stream):
    low, high = stream & _LOW, stream >> _HALF
    zero = counter ^ counter
    return philox4x32_10(
        counter, counter >> _HALF, zero + low, zero + high, seed & _LOW, seed >> _HALF
    )


@jit
def random_words(seed, stream, counter):
    """Four vectors of uint32: the words of as many successive counters as there are lanes."""
    even = load(_EVEN, 0) + counter
    e0, e1, e2, e3 = _encrypt(even, seed, stream)
    o0, o1, o2, o3 = _encrypt(even + np.uint64(1), seed, stream)
    return _merge(e0, o0), _merge(e1, o1), _merge(e2, o2), _merge(e3, o3)


@jit
def _merge(even, odd):
    return _as_words((even & _LOW) | (odd << _HALF))


@jit
def draw_bits(seed, stream, threshold, block, out_bits):
    """One bit for each of a block's 128 elements, set where its word >= threshold.

    30 multiplications of 32 bits a 4 elements: 0.7 ns an element on 256-bit registers.
    """
    for first in range(0, COUNTERS, 2 * lanes(_EVEN)):
        counter = np.uint64(COUNTERS * block + first)
        w0, w1, w2, w3 = random_words(seed, stream, counter)
        start = BLOCK * block + first
        store_bits(out_bits, start, w0 >= threshold)
        store_bits(out_bits, start + COUNTERS, w1 >= threshold)
        store_bits(out_bits, start + 2 * COUNTERS, w2 >= threshold)
        store_bits(out_bits, start + 3 * COUNTERS, w3 >= threshold)
