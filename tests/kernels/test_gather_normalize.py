"""Gathering a batch of images with conversion and normalization fused in (inventory D1, D2)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import gather_normalize
from kernels.gather_normalize import cpu, reference
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    nan_poisoned,
    non_contiguous,
    read_only,
)


def _case(count, channels, height, width, batch, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, channels, height, width), np.uint8)
    indices = rng.integers(0, count, batch)
    mean = rng.uniform(0.05, 0.95, channels)
    std = rng.uniform(0.1, 0.5, channels)
    return images, indices, mean, std


def _expected(images, indices, mean, std):
    out = nan_poisoned((len(indices), *images.shape[1:]), np.float64)
    reference.gather_normalize(images, indices, mean, std, out)
    return out


@pytest.mark.parametrize(
    "shape", [(1, 1, 1, 1, 1), (7, 1, 28, 28, 13), (5, 3, 11, 17, 5), (3, 2, 1, 31, 1)]
)
def test_d1_gather_equals_reference(shape):
    images, indices, mean, std = _case(*shape)
    out = nan_poisoned((len(indices), *images.shape[1:]), np.float32)
    cpu.gather_normalize(images=images, indices=indices, mean=mean, std=std, out=out)
    assert_close(out, _expected(images, indices, mean, std), 2e-7)


@given(
    st.integers(1, 9),
    st.integers(1, 4),
    st.integers(1, 19),
    st.integers(1, 19),
    st.integers(0, 9),
    st.integers(0, 1 << 30),
)
def test_d1_gather_any_shape(count, channels, height, width, batch, seed):
    case = _case(count, channels, height, width, batch, seed)
    out = gather_normalize.forward(*case)
    assert out.dtype == np.float32
    assert_close(out, _expected(*case), 2e-7)


def test_same_bits_on_any_path_and_number_of_threads():
    case = _case(50, 3, 32, 32, 200)
    images, indices, mean, std = case
    assert indices.size * images[0].size > cpu._ALONE
    assert_same_bits_on_threads(lambda: gather_normalize.forward(*case))
    halves = [
        gather_normalize.forward(images, half, mean, std) for half in (indices[:99], indices[99:])
    ]
    assert halves[1].size <= cpu._ALONE
    assert_same_bits(gather_normalize.forward(*case), np.concatenate(halves))


def test_d2_normalized_over_the_set():
    images, _, _, _ = _case(40, 2, 16, 16, 1)
    scaled = images / 255
    mean, std = scaled.mean((0, 2, 3)), scaled.std((0, 2, 3))
    out = gather_normalize.forward(images, np.arange(40), mean, std).astype(np.float64)
    assert_close(out.mean((0, 2, 3)), np.zeros(2), 1e-6)
    assert_close(out.std((0, 2, 3)), np.ones(2), 1e-6)


def test_inputs_unchanged_read_only_and_strided():
    images, indices, mean, std = (read_only(array) for array in _case(6, 4, 5, 7, 3))
    plain = gather_normalize.forward(images, indices, mean, std)
    strided = gather_normalize.forward(
        non_contiguous(images), non_contiguous(indices.astype(np.int16)), mean, std
    )
    assert_same_bits(strided, plain)


def test_empty_batch():
    images, _, mean, std = _case(4, 3, 5, 5, 1)
    assert gather_normalize.forward(images, np.zeros(0, np.int64), mean, std).shape == (0, 3, 5, 5)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"images": np.zeros((2, 1, 3, 3), np.float32)}, TypeError, "uint8 images, got float32"),
        ({"images": np.zeros((2, 3, 3), np.uint8)}, ValueError, r"\(N, C, H, W\), got \(2, 3, 3\)"),
        ({"indices": np.array([0.0])}, TypeError, "integer indices, got float64"),
        ({"indices": np.array([[0]])}, ValueError, r"shape \(B,\), got \(1, 1\)"),
        ({"indices": np.array([0, 2])}, ValueError, "from 0 to 1, got 0 to 2"),
        ({"indices": np.array([-1])}, ValueError, "from 0 to 1, got -1 to -1"),
        ({"mean": [0.5, 0.5]}, ValueError, r"mean of shape \(1,\), got \(2,\)"),
        ({"mean": [np.nan]}, ValueError, "finite mean"),
        ({"std": [0.0]}, ValueError, "std > 0"),
    ],
)
def test_bad_input(change, error, message):
    good = {
        "images": np.zeros((2, 1, 3, 3), np.uint8),
        "indices": np.array([0]),
        "mean": [0.5],
        "std": [0.5],
    }
    with pytest.raises(error, match=message):
        gather_normalize.forward(**(good | change))
