"""Random words: Philox4x32-10 against its published vectors, and the layout (inventory B1)."""

import numpy as np
import pytest

from kernels import _philox
from kernels._jit import jit
from kernels._simd import store
from kernels.bernoulli_mask import reference
from tests.helpers import assert_same_bits

# From the authors' test suite: counter, key, output; words lowest first.
KNOWN = [
    (
        (0x00000000, 0x00000000, 0x00000000, 0x00000000),
        (0x00000000, 0x00000000),
        (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8),
    ),
    (
        (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
        (0xFFFFFFFF, 0xFFFFFFFF),
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@jit
def _store_words(seed, stream, counter, out_words):
    w0, w1, w2, w3 = _philox.random_words(seed, stream, counter)
    store(out_words, 0, w0)
    store(out_words, _philox.COUNTERS, w1)
    store(out_words, 2 * _philox.COUNTERS, w2)
    store(out_words, 3 * _philox.COUNTERS, w3)


@jit
def _draw_all(seed, stream, threshold, blocks, out_bits):
    for block in range(blocks):
        _philox.draw_bits(seed, stream, threshold, block, out_bits, _philox.BLOCK_BYTES * block)


def _join(low, high):
    return np.uint64(low | high << 32)


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_b1_philox_reference_gives_the_known_answers(counter, key, expected):
    words = reference.philox4x32_10(tuple(np.uint64(word) for word in counter), key)
    assert tuple(int(word) for word in words) == expected


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_b1_lanes_give_the_known_answers(counter, key, expected):
    out_words = np.zeros(_philox.WORDS, np.uint32)
    _store_words(_join(*key), _join(*counter[2:]), _join(*counter[:2]), out_words)
    assert tuple(int(word) for word in out_words[:: _philox.COUNTERS]) == expected


def test_b1_counter_runs_over_32_and_64_bits():
    """Lanes carry into the second counter word; after the last counter comes the first."""
    for first in (2**32 - 3, 2**64 - 3):
        whole, later = np.zeros((2, _philox.WORDS), np.uint32)
        seed, stream = np.uint64(5), np.uint64(7)
        _store_words(seed, stream, np.uint64(first), whole)
        _store_words(seed, stream, np.uint64((first + 3) % 2**64), later)
        assert_same_bits(whole[3], later[0])


@pytest.mark.parametrize(("seed", "stream"), [(0, 0), (1, 0), (0, 1), (2**64 - 1, 2**63 + 12345)])
def test_b1_philox_bits_equal_reference(seed, stream):
    blocks = 3
    numbers = reference.random_numbers(seed, stream, blocks)
    for threshold in (0, 1, 0x40000000, 0x40000001, int(numbers[77]), int(numbers[78]) + 1):
        bits = np.zeros(blocks * _philox.BLOCK_BYTES, np.uint8)
        _draw_all(np.uint64(seed), np.uint64(stream), np.uint32(threshold), blocks, bits)
        assert_same_bits(bits, np.packbits(numbers >= threshold, bitorder="little"))


def test_b1_planes_and_digits():
    """Bit i % 32 of word i // 32 of plane j, whose counters begin at j * 2^56, is digit j of i."""
    numbers = reference.random_numbers(6, 7, 2)
    for element, digit in [(0, 0), (5, 1), (4095, 31), (4096, 0), (5000, 17)]:
        word = element // 32
        counter = 32 * (word // 128) + word % 32 + (digit << 56)
        words = reference.philox4x32_10(
            tuple(np.uint64(w) for w in (counter % 2**32, counter >> 32, 7, 0)), (6, 0)
        )
        bit = int(words[word % 128 // 32]) >> element % 32 & 1
        assert int(numbers[element]) >> 31 - digit & 1 == bit
