"""The sum of two arrays."""

import numpy as np
import pytest

from kernels import add
from tests.helpers import (
    assert_same_bits,
    assert_same_bits_on_threads,
    nan_poisoned,
    non_contiguous,
    read_only,
)

SHAPES = [(), (0,), (1,), (17,), (3, 5, 7), (2, 32769), (70001,)]


def inputs(shape, dtype):
    rng = np.random.default_rng(0)
    return [np.asarray(rng.standard_normal(shape), dtype) for _ in range(2)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_implementations_write_the_reference(shape, dtype):
    a, b = inputs(shape, dtype)
    before = a.copy(), b.copy()
    results = []
    for implementation in add.IMPLEMENTATIONS.values():
        out = nan_poisoned(a.size, dtype)
        implementation.forward(a=a.reshape(-1), b=b.reshape(-1), out_y=out)
        results.append(out.reshape(shape))
    assert_same_bits(results[1], results[0])
    assert_same_bits((a, b), before)
    assert_same_bits(add.forward(a, b), results[0])


def test_same_bits_on_threads_and_for_any_layout():
    a, b = inputs((300, 401), np.float32)
    assert_same_bits_on_threads(lambda: add.forward(a, b))
    assert_same_bits(add.forward(non_contiguous(a), read_only(b)), a + b)


def test_nan_and_infinity():
    a = np.array([np.nan, np.inf, np.inf, 1], np.float32)
    b = np.array([1, 1, -np.inf, np.nan], np.float32)
    with np.errstate(invalid="ignore"):
        assert_same_bits(np.isnan(add.forward(a, b)), np.isnan(a + b))


@pytest.mark.parametrize("dtype", [np.float16, np.int64])
def test_wrong_dtypes_are_named(dtype):
    with pytest.raises(TypeError, match="add: expected"):
        add.forward(np.ones(3, dtype), np.ones(3, dtype))
    with pytest.raises(TypeError, match="add"):
        add.forward(np.ones(3, np.float32), np.ones(3))


def test_two_shapes_are_named():
    with pytest.raises(ValueError, match=r"add: expected two arrays of one shape, got \(3,\)"):
        add.forward(np.ones(3), np.ones((3, 1)))
