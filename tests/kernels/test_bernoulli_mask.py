"""Dropout's mask (inventory B1, B2)."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import bernoulli_mask
from kernels.bernoulli_mask import cpu, reference
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    central_differences,
    nan_poisoned,
    non_contiguous,
    read_only,
)

SIZES = [1, 2, 7, 16, 31, 127, 1009, 4095, 4096, 4097, 5 * 4096 + 77]


def _normal(shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def _forward(implementation, x, p_drop, seed=3, stream=5, scale=1.25):
    y = nan_poisoned(x.shape, x.dtype)
    bits = nan_poisoned(-(-x.size // 4096) * 512, np.uint8)
    implementation.forward(
        x=x,
        seed=np.uint64(seed),
        stream=np.uint64(stream),
        threshold=np.uint32(round(p_drop * 2**32)),
        scale=scale,
        shift=-0.0,
        fill=0.0,
        out_y=y,
        out_bits=bits,
    )
    return y, bits


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", SIZES)
def test_b1_dropout_equals_reference_to_the_bit(size, dtype):
    x = _normal(size, dtype)
    assert_same_bits(_forward(cpu, x, 0.3), _forward(reference, x, 0.3))


@given(
    st.lists(st.integers(1, 12), max_size=4),
    st.floats(0, 1),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
)
def test_b1_dropout_any_shape_probability_seed_and_stream(shape, p_drop, seed, stream):
    x = _normal(shape)
    y, saved = bernoulli_mask.forward(x, p_drop, seed=seed, stream=stream, scale=2.0)
    threshold = round(p_drop * 2**32)
    numbers = reference.random_numbers(seed, stream, saved.bits.size // 512)[: x.size]
    kept = (numbers >= min(threshold, 2**32 - 1)).reshape(x.shape) & (p_drop < 1)
    assert_same_bits(y, np.where(kept, 2 * x, 0.0))
    assert_same_bits(bernoulli_mask.backward(x, saved), y)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("p_drop", [0.5, 0.75, 0.1, 1 - 2**-32, 2**-32])
def test_b1_every_digit_of_the_probability_counts(p_drop, dtype):
    x = _normal(2 * 4096 + 5, dtype)
    assert_same_bits(_forward(cpu, x, p_drop), _forward(reference, x, p_drop))


def test_b1_coins_of_two_probabilities_compare_the_same_numbers():
    """So what is kept at a higher probability of loss is kept at a lower one too."""
    x = np.ones(10_000)
    masks = [
        bernoulli_mask.forward(x, p_drop, seed=4, stream=4, scale=1)[0]
        for p_drop in (0.1, 0.25, 0.5, 0.50001, 0.9)
    ]
    assert all((less >= more).all() for less, more in itertools.pairwise(masks))


def test_b1_backward_of_several_tasks_applies_the_mask_of_forward():
    x = _normal(13 * 4096 + 77, np.float32)
    y, saved = bernoulli_mask.forward(x, 0.4, seed=1, stream=2)
    assert_same_bits(bernoulli_mask.backward(x, saved), y)


@pytest.mark.parametrize("plane", [2, 3, 16, 49])
def test_b8_planes_are_kept_or_dropped_whole(plane):
    x = _normal((3, 5, plane), np.float32)
    y, saved = bernoulli_mask.forward(x, 0.4, seed=1, stream=2, plane=plane)
    ones, _ = bernoulli_mask.forward(np.ones((3, 5)), 0.4, seed=1, stream=2, scale=1)
    expected = np.where(ones[..., None] > 0, x * np.float32(1 / 0.6), np.float32(0))
    assert_same_bits(y, expected)
    assert_same_bits(bernoulli_mask.backward(x, saved), expected)


def test_b8_planes_of_several_tasks_have_the_coins_of_as_many_elements():
    x = _normal((4001, 5, 3), np.float32)
    ones, _ = bernoulli_mask.forward(np.ones((4001, 5)), 0.4, seed=1, stream=2, scale=1)
    y, saved = bernoulli_mask.forward(x, 0.4, seed=1, stream=2, plane=3)
    expected = np.where(ones[..., None] > 0, x * np.float32(1 / 0.6), np.float32(0))
    assert_same_bits(y, expected)
    assert_same_bits(bernoulli_mask.backward(x, saved), expected)


@pytest.mark.parametrize("plane", [1, 7])
def test_shift_and_fill_equal_reference(plane):
    x = _normal(7 * 601)
    y, saved = bernoulli_mask.forward(
        x, 0.3, seed=1, stream=2, scale=1.5, shift=0.25, fill=-2.0, plane=plane
    )
    wanted, bits = nan_poisoned(x.shape, x.dtype), nan_poisoned(saved.bits.size, np.uint8)
    reference.draw(1, 2, round(0.3 * 2**32), bits)
    reference.apply_planes(x, bits, plane, 1.5, 0.25, -2.0, wanted)
    assert_close(y, wanted, 1e-15)
    assert_same_bits(y == -2.0, wanted == -2.0)
    assert_same_bits(np.sign(bernoulli_mask.backward(x, saved)), np.where(y == -2, 0, np.sign(x)))


def test_b1_mask_depends_on_the_element_not_on_the_shape():
    x = np.ones(1000)
    whole, _ = bernoulli_mask.forward(x, 0.5, seed=1, stream=2)
    square, _ = bernoulli_mask.forward(x.reshape(20, 50), 0.5, seed=1, stream=2)
    part, _ = bernoulli_mask.forward(x[:333], 0.5, seed=1, stream=2)
    assert_same_bits(square.reshape(-1), whole)
    assert_same_bits(part, whole[:333].copy())


def test_b1_statistics_of_1e7_draws():
    draws, keep = 10_000_000, 0.8
    y, _ = bernoulli_mask.forward(np.ones(draws, np.float32), 1 - keep, seed=0, stream=0, scale=1)
    assert set(np.unique(y)) == {0.0, 1.0}
    spread = keep * (1 - keep)
    mean = y.mean(dtype=np.float64)
    assert abs(mean - keep) < 4 * np.sqrt(spread / draws)
    fourth_moment = spread * (1 - 3 * spread)
    error_of_variance = np.sqrt((fourth_moment - spread**2) / draws)
    assert abs(y.var(dtype=np.float64) - spread) < 4 * error_of_variance
    centred = y - np.float32(mean)
    correlation = np.mean(centred[1:] * centred[:-1], dtype=np.float64) / spread
    assert abs(correlation) < 4 / np.sqrt(draws)


def test_b1_statistics_of_1e5_masks():
    """One unit over many streams, as a layer draws them step by step; and neighbours' masks."""
    masks, keep = 100_000, 0.7
    x = np.ones(2)
    y = np.array(
        [
            bernoulli_mask.forward(x, 1 - keep, seed=9, stream=stream, scale=1.0)[0]
            for stream in range(masks)
        ]
    )
    spread = keep * (1 - keep)
    assert (abs(y.mean(0) - keep) < 4 * np.sqrt(spread / masks)).all()
    error_of_variance = np.sqrt((spread * (1 - 3 * spread) - spread**2) / masks)
    assert (abs(y.var(0) - spread) < 4 * error_of_variance).all()
    centred = (y - keep) / np.sqrt(spread)
    assert abs(np.mean(centred[:, 0] * centred[:, 1])) < 4 / np.sqrt(masks)
    assert abs(np.mean(centred[1:, 0] * centred[:-1, 0])) < 4 / np.sqrt(masks)


def test_b1_seeds_and_streams_are_independent():
    x = np.ones(100_000)
    masks = [
        bernoulli_mask.forward(x, 0.5, seed=seed, stream=stream)[0] - 1
        for seed, stream in [(0, 0), (0, 1), (1, 0), (1, 1), (0, 2**32), (2**32, 0)]
    ]
    correlation = np.corrcoef(masks) - np.eye(len(masks))
    assert np.abs(correlation).max() < 4.5 / np.sqrt(x.size)


def test_b1_backward_uses_the_same_mask():
    x, dy = abs(_normal(999)) + 0.1, _normal(999, seed=1)
    y, saved = bernoulli_mask.forward(x, 0.4, seed=7, stream=8)
    dx = bernoulli_mask.backward(dy, saved)
    assert_same_bits(dx[y == 0], np.zeros(np.sum(y == 0)))
    assert_close(dx[y > 0], dy[y > 0] / 0.6, 1e-15)


def test_b1_dropout_reference_backward_against_central_differences():
    x, dy = _normal((3, 41)), _normal((3, 41), seed=1)

    def loss(moved):
        return np.sum(dy.reshape(-1) * _forward(reference, moved.reshape(-1), 0.4)[0])

    dx = nan_poisoned(x.size, np.float64)
    bits = _forward(reference, x.reshape(-1), 0.4)[1]
    reference.apply(dy.reshape(-1), bits, 1.25, -0.0, 0.0, dx)
    assert_close(dx.reshape(x.shape), central_differences(loss, x), 1e-7)


def test_b2_scale_keeps_the_expectation():
    y, _ = bernoulli_mask.forward(np.ones(1_000_000), 0.25, seed=1, stream=1)
    assert set(np.unique(y)) == {0.0, 1 / 0.75}
    assert abs(y.mean() - 1) < 4 * np.sqrt(0.25 / 0.75 / y.size)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_b2_nothing_dropped_is_the_identity(dtype):
    x = np.array([1.5, -0.0, np.inf, -np.inf, np.nan, 3e-39], dtype)
    y, saved = bernoulli_mask.forward(x, 0.0, seed=0, stream=0)
    assert_same_bits(y, x)
    assert_same_bits(bernoulli_mask.backward(x, saved), x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_b2_all_dropped_gives_zeros_never_nan(dtype):
    x = np.array([1.5, -2.0, np.inf, -np.inf, np.nan] * 30, dtype)
    y, saved = bernoulli_mask.forward(x, 1.0, seed=0, stream=0)
    assert_same_bits(y, np.zeros_like(x))
    assert_same_bits(bernoulli_mask.backward(x, saved), np.zeros_like(x))


def test_b2_kept_nan_stays_and_dropped_nan_goes():
    x = np.full(1000, np.nan)
    y, saved = bernoulli_mask.forward(x, 0.5, seed=0, stream=0)
    kept, _ = bernoulli_mask.forward(np.ones(1000), 0.5, seed=0, stream=0)
    assert_same_bits(np.isnan(y), kept > 0)
    assert_same_bits(y[kept == 0], np.zeros(np.sum(kept == 0)))
    assert_same_bits(np.isnan(bernoulli_mask.backward(x, saved)), kept > 0)


def test_same_bits_on_any_number_of_threads():
    x = _normal(10 * 4096 + 4, np.float32)

    def run():
        y, saved = bernoulli_mask.forward(x, 0.5, seed=1, stream=2)
        planes, shared = bernoulli_mask.forward(x, 0.5, seed=1, stream=2, plane=4)
        dx = bernoulli_mask.backward(x, saved), bernoulli_mask.backward(x, shared)
        return y, saved.bits, planes, shared.bits, *dx

    assert_same_bits_on_threads(run)


def test_inputs_unchanged_read_only_and_strided():
    x = _normal((7, 19))
    key = {"seed": 1, "stream": 2}
    y, saved = bernoulli_mask.forward(x, 0.5, **key)
    dx = bernoulli_mask.backward(x, saved)
    assert_same_bits(bernoulli_mask.forward(read_only(x), 0.5, **key)[0], y)
    assert_same_bits(bernoulli_mask.forward(non_contiguous(x), 0.5, **key)[0], y)
    assert_same_bits(bernoulli_mask.backward(read_only(x), saved), dx)
    assert_same_bits(bernoulli_mask.backward(non_contiguous(x), saved), dx)
    assert_same_bits(x, _normal((7, 19)))


@pytest.mark.parametrize("shape", [(0,), (3, 0, 2), ()])
def test_empty_and_single(shape):
    x = np.ones(shape)
    y, saved = bernoulli_mask.forward(x, 0.0, seed=0, stream=0)
    assert_same_bits(y, x)
    assert bernoulli_mask.forward(x, 0.5, seed=0, stream=0)[0].shape == shape
    assert_same_bits(bernoulli_mask.backward(x, saved), x)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x": np.zeros(3, np.int32)}, TypeError, "x of float32 or float64, got int32"),
        ({"x": np.zeros(3, np.float16)}, TypeError, "x of float32 or float64, got float16"),
        ({"x": [1.0]}, TypeError, "NumPy array"),
        ({"p_drop": -0.1}, ValueError, "p_drop from 0 to 1, got -0.1"),
        ({"p_drop": 1.5}, ValueError, "p_drop from 0 to 1, got 1.5"),
        ({"p_drop": np.nan}, ValueError, "p_drop from 0 to 1, got nan"),
        ({"seed": -1}, ValueError, r"seed from 0 to 2\^64 - 1, got -1"),
        ({"stream": 2**64}, ValueError, r"stream from 0 to 2\^64 - 1"),
        ({"seed": 0.5}, ValueError, r"seed from 0 to 2\^64 - 1, got 0.5"),
        ({"scale": np.inf}, ValueError, "finite scale, shift and fill, got inf"),
        ({"shift": np.nan}, ValueError, "finite scale, shift and fill, got 2.0, nan"),
        ({"fill": np.inf}, ValueError, "finite scale, shift and fill, got 2.0, -0.0, inf"),
        ({"plane": 2}, ValueError, "plane that divides 3 elements, got 2"),
        ({"plane": 0}, ValueError, "plane that divides 3 elements, got 0"),
    ],
)
def test_bad_input(change, error, message):
    good = {"x": np.zeros(3), "p_drop": 0.5, "seed": 0, "stream": 0}
    with pytest.raises(error, match=message):
        bernoulli_mask.forward(**(good | change))


def test_bad_gradient():
    _, saved = bernoulli_mask.forward(np.zeros((2, 3)), 0.5, seed=0, stream=0)
    with pytest.raises(ValueError, match=r"dy of shape \(2, 3\), got \(3, 2\)"):
        bernoulli_mask.backward(np.zeros((3, 2)), saved)
    with pytest.raises(TypeError, match="dy of float32 or float64, got int64"):
        bernoulli_mask.backward(np.zeros((2, 3), np.int64), saved)
