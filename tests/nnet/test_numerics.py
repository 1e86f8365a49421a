"""Ends of the range, as docs/numerics.md promises, and that page itself."""

import re
from pathlib import Path

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "numerics.md"


def test_every_promise_names_a_test_that_is_there():
    named = re.findall(r"`(\w+/test_\w+\.py)::(test_\w+)`", PAGE.read_text())
    assert len(named) > 30
    for file, test in named:
        assert re.search(rf"^def {test}\(", (ROOT / "tests" / file).read_text(), re.M), test


def test_every_op_is_compared_on_several_threads():
    files = sorted((ROOT / "tests" / "kernels").glob("test_*.py"))
    ops = {each.name for each in (ROOT / "kernels").iterdir() if (each / "reference.py").exists()}
    for op in ops:
        tests = [file.read_text() for file in files if file.stem.startswith(f"test_{op}")]
        assert any("assert_same_bits_on_threads(" in text for text in tests), op


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_clamp_lets_nan_through(dtype):
    y = nn.tensor(np.array([np.nan, -np.inf, np.inf, 0.5], dtype)).clamp(0, 1)
    np.testing.assert_array_equal(y.numpy(), np.array([np.nan, 0, 1, 0.5], dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_subnormal_numbers_are_kept(dtype):
    info = np.finfo(dtype)
    tiny = np.full((40, 1), 3 * info.smallest_subnormal, dtype)
    x, one = nn.tensor(tiny), nn.tensor(np.ones((1, 1), dtype))
    for y in (x * 1, F.relu(x), F.linear(x, one), F.tanh(x), x @ one, F.leaky_relu(-x, 1.0) * -1):
        np.testing.assert_array_equal(y.numpy(), tiny)
    assert (x + x).numpy()[0] == 6 * info.smallest_subnormal
    half = nn.tensor(np.array([info.smallest_normal], dtype)) / 2
    assert 0 < half.item() < info.smallest_normal
    assert nn.tensor(np.array([info.smallest_subnormal])).sum().item() > 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_end_with_the_normal_numbers(dtype):
    smallest = np.log(np.finfo(dtype).smallest_normal.astype(np.float64))
    x = np.array([0, smallest + 0.01, smallest - 0.01, -np.inf], dtype)
    y = F.softmax(nn.tensor(x), 0).numpy()
    assert y[0] == 1 and y[1] >= np.finfo(dtype).smallest_normal and (y[2:] == 0).all()
    y = F.sigmoid(nn.tensor(x)).numpy()
    assert y[0] == 0.5 and (y[2:] == 0).all()


def test_lengths_of_gradients_do_not_overflow():
    p = nn.Parameter(np.zeros(2, np.float32))
    p.grad = nn.tensor([3 * 2.0**124, 4 * 2.0**124])
    assert nn.clip_grad_norm_([p], 1.0).item() == 5 * 2.0**124
    np.testing.assert_allclose(p.grad.numpy(), [0.6, 0.8], 1e-6)


def test_integers_wrap_around():
    x = nn.tensor([2**63 - 1, 2**31 - 1])
    assert x.dtype == np.int64
    assert (x + 1).tolist() == [-(2**63), 2**31]
    assert nn.tensor([2**62] * 4).sum().item() == 0


def test_of_nothing():
    nothing = nn.zeros(0, 3)
    assert nothing.sum().item() == 0 and np.isnan(nothing.mean().item())
    assert np.isnan(F.cross_entropy(nothing, nn.tensor(np.zeros(0, np.int64))).item())
    layer = nn.Linear(3, 2)
    layer(nothing).sum().backward()
    assert layer(nothing).shape == (0, 2) and layer.weight.grad.tolist() == [[0] * 3] * 2
