"""Sums and masks around a product: float64 sums, the same bits on any number of threads."""

import numpy as np
import pytest

from kernels import _jit
from kernels._reduce import CHUNK, add_rectify, channel_sums, column_sums, mask_where_positive
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    nan_poisoned,
)
from tests.kernels.guards import guarded

DTYPES = [np.float32, np.float64]

# One, primes, a value's tail, above the size that is shared out, more strips of 64 than one.
MATRICES = [(1, 1), (3, 7), (0, 5), (5, 0), (31, 13), (2, 127), (173, 131)]
PLANES = [(1, 1, 1), (2, 3, 5), (3, 2, 1024), (1, 2, 1025), (5, 7, 1091), (2, 3, 0), (0, 3, 4)]


def numbers(shape, dtype, seed=0):
    """With a mean far from zero: a sum in float32 would show."""
    return (np.random.default_rng(seed).normal(size=shape) + 100).astype(dtype)


def columns_of(x):
    sums = guarded(np.full(x.shape[1], np.nan, x.dtype))
    column_sums(x=x, out_sums=sums)
    return sums


def channels_of(x):
    sums = nan_poisoned(x.shape[1], x.dtype)
    channel_sums(x=x, out_sums=sums)
    return sums


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", MATRICES)
def test_column_sums(shape, dtype):
    x = guarded(numbers(shape, dtype))
    expected = x.astype(np.float64).sum(0)
    assert_close(columns_of(x), expected, 1e-7 if dtype is np.float32 else 1e-15)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", PLANES)
def test_channel_sums(shape, dtype):
    x = guarded(numbers(shape, dtype))
    expected = x.astype(np.float64).sum((0, 2))
    assert_close(channels_of(x), expected, 3e-7 if dtype is np.float32 else 1e-15)


def test_many_rows_are_summed_in_float64():
    x = np.full((1 << 20, 2), 0.1, np.float32)
    expected = np.full(2, np.float32(0.1).astype(np.float64) * (1 << 20))
    assert_close(columns_of(x), expected, 1e-7)
    planes = np.ascontiguousarray(x.T)[None]
    assert_close(channels_of(planes), expected, 1e-6)


def test_same_bits_on_1_2_and_3_threads():
    assert_same_bits_on_threads(lambda: columns_of(numbers((173, 1310), np.float32)))
    assert_same_bits_on_threads(lambda: channels_of(numbers((5, 17, 1091), np.float32)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1, 13, 41, CHUNK, CHUNK + 1, 3 * CHUNK + 17])
def test_mask_where_positive(size, dtype):
    rng = np.random.default_rng(0)
    dy, y = rng.normal(size=(2, size)).astype(dtype)
    y[::3] = 0
    out = guarded(np.full(size, np.nan, dtype))
    mask_where_positive(dy=dy, y=y, out_dy=out)
    assert_same_bits(out, np.where(y > 0, dy, dtype(0)))


def test_mask_lets_nan_of_dy_through_where_y_is_positive():
    dy = np.array([np.nan, np.nan, np.inf, -np.inf], np.float32)
    y = np.array([1, 0, 0, 2], np.float32)
    out = nan_poisoned(4, np.float32)
    mask_where_positive(dy=dy, y=y, out_dy=out)
    assert np.isnan(out[0]) and out[1:].tolist() == [0, 0, -np.inf]


@_jit.jit
def _add_rectify(values, start, count, shift, relu):
    add_rectify(values, start, count, shift, relu)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("relu", [False, True])
def test_add_rectify_on_every_length(relu, dtype):
    x = np.random.default_rng(0).normal(size=60).astype(dtype)
    x[10], x[25] = np.nan, -np.inf
    for count in range(41):
        values = x.copy()
        _add_rectify(values, 5, count, dtype(-0.5), relu)
        inside = x[5 : 5 + count] - dtype(0.5)
        if relu:
            inside = np.where(inside < 0, dtype(0), inside)
        assert_same_bits(values, np.concatenate([x[:5], inside, x[5 + count :]]))
