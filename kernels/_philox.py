"""Counter-based random numbers: Philox4x32-10 (Salmon et al. 2011) in vector lanes.

What is random is a pure function of (seed, stream, position), whatever the shape, the number of
threads and the width of the processor's registers. Words come in blocks of 128, drawn from 32
counters of four words each:

    counter  32 * (word // 128) + word % 32, 64 bits: Philox's counter words 0 (low) and 1
    stream   64 bits: counter words 2 (low) and 3
    seed     64 bits: key words 0 (low) and 1
    word     is output word (word % 128) // 32 of its counter

so that the four words of neighbouring counters go to four runs of neighbouring words.

Coins are cheaper than one word each. Element i has the random number 0.b0 b1 ... b31, whose digit
bj is bit i % 32 of word i // 32 of plane j: of the words whose counters begin at j * 2^56. A coin
compares that number with a probability, first digit first, and is decided where they differ: a
word decides 32 coins as far as its plane goes, half of those still open. So p = 1/2 takes 1 bit
an element, 1/4 takes 2, any other about 12 until the last of some thousand neighbours is decided.
"""

import numpy as np
from numba.core import types
from numba.extending import intrinsic

from kernels._jit import jit
from kernels._simd import Vector, any_lane, full, lanes, llvm_vector, load, store

COUNTERS = 32
WORDS = 128

# Coins of a block, and the bytes that hold them.
BLOCK = 32 * WORDS
BLOCK_BYTES = BLOCK // 8

_ROUNDS = 10
_MULTIPLIER_0, _MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL_0, _WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_PLANE = np.uint64(1 << 56)
_FIRST_DIGIT = np.uint32(1 << 31)
_ONE = np.uint32(1)

# Loaded from position 0: the even counters of as many lanes as the processor has.
_EVEN = np.arange(0, COUNTERS, 2, dtype=np.uint64)
_LIKE_WORDS = np.zeros(1, np.uint32)


def _in_lanes_of(element):
    """The same bits in lanes of another type, the low part first."""

    def typing(typingctx, values):
        bits = values.lanes * values.element.bitwidth
        other = Vector(element, bits // element.bitwidth)

        def codegen(context, builder, sig, args):
            return builder.bitcast(args[0], llvm_vector(other))

        return other(values), codegen

    return typing


_split_words, _split_bytes = _in_lanes_of(types.uint32), _in_lanes_of(types.uint8)


@intrinsic
def _as_words(typingctx, values):
    return _split_words(typingctx, values)


@intrinsic
def _as_bytes(typingctx, values):
    return _split_bytes(typingctx, values)


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


def coin_threshold(p_drop: float) -> np.uint32:
    """A random number of 32 bits lies below it with that probability, to 2^-32."""
    return np.uint32(min(round(p_drop * 2**32), 2**32 - 1))


@jit
def draw_bits(seed, stream, threshold, block, out_bits, start):
    """One bit for each of a block's 4096 elements, set where its number >= threshold / 2^32.

    out_bits  uint8; the block takes 512 bytes from `start` on

    30 multiplications of 32 bits decide 128 elements of a plane: 0.025 ns an element and plane on
    256-bit registers.
    """
    counters = 2 * lanes(_EVEN)
    for first in range(0, COUNTERS, counters):
        counter = np.uint64(COUNTERS) * np.uint64(block) + np.uint64(first)
        kept0 = kept1 = kept2 = kept3 = full(_LIKE_WORDS, 0)
        open0 = open1 = open2 = open3 = ~kept0
        digits = threshold
        while digits != 0 and any_lane((open0 | open1 | open2 | open3) != 0):
            w0, w1, w2, w3 = random_words(seed, stream, counter)
            if digits >= _FIRST_DIGIT:
                open0, open1, open2, open3 = open0 & w0, open1 & w1, open2 & w2, open3 & w3
            else:
                kept0, kept1 = kept0 | (open0 & w0), kept1 | (open1 & w1)
                kept2, kept3 = kept2 | (open2 & w2), kept3 | (open3 & w3)
                open0, open1, open2, open3 = open0 & ~w0, open1 & ~w1, open2 & ~w2, open3 & ~w3
            digits = np.uint32(digits << _ONE)
            counter += _PLANE
        # What is still open equals the threshold in every digit.
        byte = start + 4 * first
        run = 4 * COUNTERS
        store(out_bits, byte, _as_bytes(kept0 | open0))
        store(out_bits, byte + run, _as_bytes(kept1 | open1))
        store(out_bits, byte + 2 * run, _as_bytes(kept2 | open2))
        store(out_bits, byte + 3 * run, _as_bytes(kept3 | open3))
