"""Clipping by the common length: kernel and `nn.clip_grad_norm_`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnet as nn
from kernels import clip_norm
from kernels.clip_norm import cpu, reference
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    non_contiguous,
    read_only,
)
from tests.kernels.guards import scratch_of


def normal(shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 7, 31, 1009, 1 << 14, 100_003])
def test_equals_reference(size, dtype):
    x = normal(size, dtype)
    found, wanted = np.full(1, np.nan), np.full(1, np.nan)
    work = scratch_of(cpu, "sum_of_squares", {"x": x})
    cpu.sum_of_squares(x=x, **work, out_sum=found)
    reference.sum_of_squares(x=x, out_sum=wanted)
    assert_close(found, wanted, 1e-13)
    scaled, expected = x.copy(), x.copy()
    cpu.scale(factor=0.3, inout_x=scaled)
    reference.scale(factor=0.3, inout_x=expected)
    assert_close(scaled, expected, 1e-7 if dtype == np.float32 else 1e-15)


@given(st.lists(st.integers(0, 50), max_size=4), st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_no_longer_than_c_and_short_ones_keep_every_bit(sizes, c, spread):
    before = [
        normal(size, np.float32, seed) * np.float32(spread) for seed, size in enumerate(sizes)
    ]
    after = [x.copy() for x in before]
    length = clip_norm.clip(after, c)
    assert length == clip_norm.norm(before)
    assert clip_norm.norm(after) <= c * (1 + 1e-6)
    if length <= c - 1e-6:
        assert_same_bits(after, before)


def test_same_bits_on_any_number_of_threads():
    def run():
        x = normal(200_003, np.float32)
        return np.array(clip_norm.clip([x], 1.0)), x

    assert_same_bits_on_threads(run)


def test_inputs_of_every_layout():
    x = normal((60, 70))
    expected = np.sqrt((x**2).sum())
    for each in (non_contiguous(x), read_only(x)):
        assert clip_norm.norm([each]) == pytest.approx(expected, rel=1e-13)
        with pytest.raises(ValueError, match="written in place"):
            clip_norm.clip([each], 1.0)
    with pytest.raises(TypeError, match="x of float32 or float64, got int64"):
        clip_norm.norm([np.arange(3)])
    for c in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="expected a finite c above 0"):
            clip_norm.clip([x], c)
    assert clip_norm.clip([], 1.0) == 0.0


def test_nan_shows():
    x = np.array([1.0, np.nan, 2.0])
    assert np.isnan(clip_norm.clip([x], 1.0)) and np.isnan(x).all()


def with_gradients(dtype=np.float32):
    model = nn.Sequential(nn.Linear(5, 7), nn.Linear(7, 3))
    for seed, parameter in enumerate(model.parameters()):
        parameter.grad = nn.Tensor(normal(parameter.shape, dtype, seed))
    return model


def test_clip_grad_norm_as_pytorch_does():
    torch = pytest.importorskip("torch")
    for c in (0.5, 100.0):
        model = with_gradients()
        others = [torch.nn.Parameter(torch.zeros(p.shape)) for p in model.parameters()]
        for own, other in zip(model.parameters(), others, strict=True):
            other.grad = torch.tensor(own.grad.numpy())
        expected = torch.nn.utils.clip_grad_norm_(others, c)
        assert nn.clip_grad_norm_(model.parameters(), c).item() == pytest.approx(expected.item())
        for own, other in zip(model.parameters(), others, strict=True):
            assert_close(own.grad.numpy(), other.grad.numpy(), 1e-6)


def test_clip_grad_norm_of_what_an_optimizer_holds():
    """Gradients that lie in one flat buffer stay there."""
    model = with_gradients()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.0)
    model(nn.ones(2, 5)).sum().backward()
    optimizer.step()
    homes = [p.grad.data.__array_interface__["data"] for p in model.parameters()]
    assert nn.clip_grad_norm_(model.parameters(), 1e-3).item() > 1
    assert [p.grad.data.__array_interface__["data"] for p in model.parameters()] == homes
    assert clip_norm.norm([p.grad.data for p in model.parameters()]) == pytest.approx(1e-3, 1e-3)


def test_clip_grad_norm_options():
    model = with_gradients()
    with pytest.raises(ValueError, match="expected norm_type 2, got inf"):
        nn.clip_grad_norm_(model.parameters(), 1.0, norm_type=np.inf)
    with pytest.raises(ValueError, match="max_norm above 0, got 0"):
        nn.clip_grad_norm_(model.parameters(), 0)
    parameter = nn.Parameter([1.0, 2.0])
    assert nn.clip_grad_norm_(parameter, 1.0).item() == 0.0
    parameter.grad = nn.Tensor(np.array([np.inf, 1.0], np.float32))
    with pytest.raises(RuntimeError, match="finite gradients"):
        nn.clip_grad_norm_([parameter], 1.0, error_if_nonfinite=True)
    assert parameter.grad.numpy()[1] == 1.0
    parameter.grad = nn.Tensor(read_only(np.array([3.0, 4.0], np.float32)))
    assert nn.clip_grad_norm_(parameter, 1.0).item() == 5.0
    assert_close(parameter.grad.numpy(), np.array([0.6, 0.8]), 1e-6)
