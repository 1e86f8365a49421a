"""Gaussian dropout's noise (inventory B5)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kernels import bernoulli_mask, gaussian_mask
from kernels.gaussian_mask import cpu, reference
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    central_differences,
    nan_poisoned,
    non_contiguous,
    read_only,
)


def _normal(shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def _forward(implementation, x, std=0.5, seed=3, stream=5):
    y = nan_poisoned(x.shape, x.dtype)
    noise = nan_poisoned(-(-x.size // 128) * 128, x.dtype)
    key = {"seed": np.uint64(seed), "stream": np.uint64(stream)}
    implementation.draw(mean=1.0, std=std, **key, out_z=noise)
    implementation.apply(x=x, noise=noise, out_y=y)
    return y, noise


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 2, 7, 16, 31, 127, 128, 129, 1009, 2 * 8192 + 77])
def test_b5_noise_equals_reference(size, dtype):
    x = _normal(size, dtype)
    wide = x.astype(np.float64)
    for found, wanted in zip(_forward(cpu, x), _forward(reference, wide), strict=True):
        assert found.dtype == dtype
        assert_close(found, wanted, 1e-6)


def test_b5_words_are_those_of_dropout():
    words = reference.random_words(2**63 + 5, 2**40 + 7, 3)
    known = bernoulli_mask.reference.random_words(2**63 + 5, 2**40 + 7, 3)
    assert (words.transpose(1, 0, 2).reshape(-1) == known).all()


@given(st.lists(st.integers(1, 12), max_size=4), st.integers(0, 2**64 - 1))
def test_b5_noise_any_shape_and_seed(shape, seed):
    x = _normal(shape)
    y, saved = gaussian_mask.forward(x, 2.0, seed=seed, stream=1)
    z = nan_poisoned(-(-x.size // 128) * 128, np.float64)
    reference.draw(1.0, 2.0, seed, 1, z)
    assert_close(y, x * (z[: x.size].reshape(x.shape)), 1e-6)
    assert_same_bits(gaussian_mask.backward(x, saved), y)


def test_b5_noise_moments_and_distribution_of_1e7_draws():
    draws = 10_000_000
    z = gaussian_mask.draw(draws, np.float32, seed=0, stream=0).astype(np.float64)
    assert abs(z.mean()) < 4 / np.sqrt(draws)
    assert abs(z.var() - 1) < 4 * np.sqrt(2 / draws)
    assert abs(np.mean(z**3)) < 4 * np.sqrt(15 / draws)
    assert abs(np.mean(z**4) - 3) < 4 * np.sqrt(96 / draws)
    for lag in (1, 32, 64, 128):  # 32 apart lie the two numbers of a pair
        assert abs(np.mean(z[lag:] * z[:-lag])) < 4 / np.sqrt(draws)
        squares = (z[lag:] ** 2 - 1) * (z[:-lag] ** 2 - 1) / 2
        assert abs(np.mean(squares)) < 4 / np.sqrt(draws)
    assert stats.kstest(z[:1_000_000], "norm").pvalue > 1e-3
    beyond = np.mean(abs(z) > 4.5)
    expected = 2 * stats.norm.sf(4.5)
    assert abs(beyond - expected) < 4 * np.sqrt(expected / draws)
    assert 5 < abs(z).max() < 6.7


def test_b5_noise_reference_backward_against_central_differences():
    x, dy = _normal(41), _normal(41, seed=1)
    dx = nan_poisoned(x.size, np.float64)
    reference.apply(dy, _forward(reference, x)[1], dx)
    loss = lambda moved: np.sum(dy * _forward(reference, moved)[0])  # noqa: E731
    assert_close(dx, central_differences(loss, x), 1e-7)


def test_b5_nothing_is_changed_without_noise_and_nan_stays():
    x = np.array([1.5, -0.0, np.inf, -np.inf, np.nan])
    assert_same_bits(gaussian_mask.forward(x, 0.0, seed=0, stream=0)[0], x)


def test_same_bits_on_any_number_of_threads():
    x = _normal(5 * 8192 + 3, np.float32)

    def run():
        y, saved = gaussian_mask.forward(x, 0.5, seed=1, stream=2)
        return (
            y,
            gaussian_mask.backward(x, saved),
            gaussian_mask.draw(x.size, np.float32, seed=1, stream=2),
        )

    assert_same_bits_on_threads(run)


def test_inputs_unchanged_read_only_strided_and_empty():
    x = _normal((7, 19))
    y, saved = gaussian_mask.forward(x, 0.5, seed=1, stream=2)
    dx = gaussian_mask.backward(x, saved)
    for change in (read_only, non_contiguous):
        assert_same_bits(gaussian_mask.forward(change(x), 0.5, seed=1, stream=2)[0], y)
        assert_same_bits(gaussian_mask.backward(change(x), saved), dx)
    assert_same_bits(x, _normal((7, 19)))
    nothing, saved = gaussian_mask.forward(np.ones((0, 3)), 0.5, seed=1, stream=2)
    assert nothing.shape == gaussian_mask.backward(nothing, saved).shape == (0, 3)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x": np.zeros(3, np.int32)}, TypeError, "x of float32 or float64, got int32"),
        ({"x": np.zeros(3, np.float16)}, TypeError, "x of float32 or float64, got float16"),
        ({"std": -0.1}, ValueError, "finite std of 0 or more, got -0.1"),
        ({"std": np.inf}, ValueError, "finite std of 0 or more, got inf"),
        ({"std": np.nan}, ValueError, "finite std of 0 or more, got nan"),
        ({"seed": -1}, ValueError, r"seed from 0 to 2\^64 - 1, got -1"),
        ({"stream": 0.5}, ValueError, r"stream from 0 to 2\^64 - 1, got 0.5"),
    ],
)
def test_bad_input(change, error, message):
    good = {"x": np.zeros(3), "std": 0.5, "seed": 0, "stream": 0}
    with pytest.raises(error, match=message):
        gaussian_mask.forward(**(good | change))


def test_bad_gradient_and_dtype():
    _, saved = gaussian_mask.forward(np.zeros((2, 3)), 0.5, seed=0, stream=0)
    with pytest.raises(ValueError, match=r"dy of shape \(2, 3\), got \(3, 2\)"):
        gaussian_mask.backward(np.zeros((3, 2)), saved)
    with pytest.raises(TypeError, match="dy of float32 or float64, got int64"):
        gaussian_mask.backward(np.zeros((2, 3), np.int64), saved)
    with pytest.raises(TypeError, match="float32 or float64, got int64"):
        gaussian_mask.draw(3, np.int64, seed=0, stream=0)


def test_noise_of_several_tasks_is_applied_to_each_element():
    x = np.full(40_009, 2.0, np.float32)
    y, saved = gaussian_mask.forward(x, 0.5, seed=1, stream=2)
    ones, _ = gaussian_mask.forward(np.ones(40_009, np.float32), 0.5, seed=1, stream=2)
    np.testing.assert_array_equal(y, 2 * ones)
    np.testing.assert_array_equal(gaussian_mask.backward(x, saved), 2 * ones)
    assert 0.9 < ones.mean() < 1.1 and (np.abs(ones - 1) < 3).all() and (y[-2000:] != 0).all()
