"""Max-norm, kernel and layer (inventory B7)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnet as nn
import nnet.functional as F
from kernels import max_norm
from kernels.max_norm import cpu, reference
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    non_contiguous,
    read_only,
)


def _normal(shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def _norms(weight):
    rows = weight.reshape(len(weight), -1).astype(np.float64)
    return np.sqrt(np.sum(rows**2, axis=1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (7, 1), (1, 31), (13, 33), (61, 1009)])
def test_b7_max_norm_equals_reference(shape, dtype):
    weight = _normal(shape, dtype)
    c = float(np.median(_norms(weight)))
    found, wanted = weight.copy(), weight.astype(np.float64)
    cpu.project(c=c, inout_weight=found)
    reference.project(c=c, inout_weight=wanted)
    assert_close(found, wanted, 1e-6 if dtype == np.float32 else 1e-15)


@given(st.integers(1, 9), st.integers(1, 40), st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_b7_norms_are_bounded_and_the_inside_keeps_every_bit(rows, size, c, spread):
    before = _normal((rows, size), np.float32) * np.float32(spread)
    weight = before.copy()
    max_norm.project(weight, c)
    assert (_norms(weight) <= c * (1 + 1e-6)).all()
    inside = _norms(before) <= c
    assert_same_bits(weight[inside], before[inside])
    cosine = np.sum(weight * before, 1, dtype=np.float64) / (_norms(weight) * _norms(before))
    assert (cosine > 1 - 1e-6).all()


def test_b7_zero_vectors_and_filters():
    weight = _normal((6, 3, 5, 5), np.float32)
    weight[2] = 0
    max_norm.project(weight, 0.5)
    assert_close(np.delete(_norms(weight), 2), np.full(5, 0.5), 1e-6)
    assert (weight[2] == 0).all()


def test_b7_nan_stays_in_its_row():
    weight = _normal((3, 20))
    weight[1, 3] = np.nan
    max_norm.project(weight, 0.5)
    assert np.isnan(weight[1, 3]) and np.isfinite(np.delete(weight, 1, 0)).all()


def test_same_bits_on_any_number_of_threads():
    def run():
        weight = _normal((97, 1009), np.float32)
        max_norm.project(weight, 31.0)
        return weight

    assert_same_bits_on_threads(run)


@pytest.mark.parametrize(
    ("weight", "c", "error", "message"),
    [
        (np.ones((2, 3), np.int64), 1.0, TypeError, "weight of float32 or float64, got int64"),
        (np.ones((2, 3)), 0.0, ValueError, "finite c above 0, got 0.0"),
        (np.ones((2, 3)), np.inf, ValueError, "finite c above 0, got inf"),
        (np.ones(()), 1.0, ValueError, r"weight of shape \(rows, ...\)"),
        (read_only(np.ones((2, 3))), 1.0, ValueError, "contiguous, aligned and writeable"),
        (non_contiguous(np.ones((2, 3))), 1.0, ValueError, "contiguous, aligned and writeable"),
    ],
)
def test_bad_input(weight, c, error, message):
    with pytest.raises(error, match=message):
        max_norm.project(weight, c)


def test_empty():
    max_norm.project(np.ones((0, 3)), 1.0)
    max_norm.project(np.ones((3, 0)), 1.0)


def test_b7_units_along_another_axis():
    weight = nn.Parameter(_normal((4, 6, 3)))
    expected = np.moveaxis(weight.data, 1, 0).copy()
    reference.project(c=0.7, inout_weight=expected.reshape(6, -1))
    assert nn.max_norm_(weight, 0.7, dim=1) is weight
    assert_close(np.moveaxis(weight.data, 1, 0), expected, 1e-15)
    with pytest.raises(IndexError, match="dim of 3 axes, got 3"):
        nn.max_norm_(weight, 0.7, dim=3)
    with pytest.raises(TypeError, match="expected a tensor, got ndarray"):
        nn.max_norm_(weight.data, 0.7)


def _train(c, lr, steps=60):
    """Loss after a few steps of a dropout network on three noisy clusters."""
    nn.manual_seed(0)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 300)
    x = (rng.standard_normal((3, 20))[labels] + rng.standard_normal((300, 20))).astype(np.float32)
    x, target = nn.Tensor(x), nn.Tensor(labels)
    model = nn.Sequential(
        nn.Linear(20, 64), nn.ReLU(), nn.Dropout(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3)
    )
    optimizer = nn.optim.SGD(model.parameters(), lr=lr, momentum=0.95)
    constrain = nn.optim.MaxNorm(model.parameters(), c) if c else None
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(model(x), target).backward()
        optimizer.step()
        if constrain:
            constrain()
            for weight in constrain.params:
                assert (_norms(weight.data) <= c * (1 + 1e-6)).all()
    model.eval()
    return F.cross_entropy(model(x), target).item()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_b7_training_at_ten_times_the_rate_survives_with_it_and_diverges_without():
    rate = 0.1
    usual = _train(None, rate)
    assert usual < 0.5
    assert _train(1.0, 10 * rate) < 0.9
    fast = _train(None, 10 * rate)
    assert not fast < 10, fast


def test_b7_optimizer_option():
    model = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.Conv2d(1, 2, 3))
    constrain = nn.optim.MaxNorm(model.parameters(), c=0.1)
    assert [param.ndim for param in constrain.params] == [2, 4]
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)  # moves parameters into one buffer
    constrain(optimizer)
    assert max(_norms(model[0].weight.data).max(), _norms(model[2].weight.data).max()) < 0.1001
    assert (model[1].weight.data == 1).all()
    with pytest.raises(ValueError, match="finite c above 0, got -1"):
        nn.optim.MaxNorm(model.parameters(), c=-1)
