"""DropConnect's masked product (inventory B9)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import bernoulli_mask, drop_connect
from kernels.drop_connect import cpu, reference
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    central_differences,
    nan_poisoned,
    non_contiguous,
    read_only,
)
from tests.kernels.guards import scratch_of

KEY = {"seed": np.uint64(2**40 + 3), "stream": np.uint64(5)}
SHAPES = [(1, 1, 1, 1), (5, 7, 11, 1), (6, 45, 131, 4), (3, 33, 257, 2), (7, 2, 16, 3)]


def _arrays(n, units, inputs, dtype=np.float64):
    rng = np.random.default_rng(0)
    shapes = (n, inputs), (units, inputs), (units,), (n, units)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def _forward(implementation, x, weight, bias, p_drop, share):
    y = nan_poisoned((len(x), len(weight)), x.dtype)
    work = scratch_of(implementation, "forward", {"weight": weight})
    implementation.forward(
        x=x,
        weight=weight,
        bias=bias,
        **KEY,
        threshold=np.uint32(round(p_drop * 2**32)),
        share=share,
        **work,
        out_y=y,
    )
    return y


def _backward(implementation, dy, x, weight, p_drop, share):
    dx, dweight = nan_poisoned(x.shape, x.dtype), nan_poisoned(weight.shape, x.dtype)
    work = scratch_of(implementation, "backward", {"x": x, "weight": weight, "out_dx": dx})
    implementation.backward(
        dy=dy,
        x=x,
        weight=weight,
        **KEY,
        threshold=np.uint32(round(p_drop * 2**32)),
        share=share,
        **work,
        out_dx=dx,
        out_dweight=dweight,
    )
    return dx, dweight


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "units", "inputs", "share"), SHAPES)
def test_b9_drop_connect_equals_reference(n, units, inputs, share, dtype):
    x, weight, bias, dy = _arrays(n, units, inputs, dtype)
    wide = [array.astype(np.float64) for array in (x, weight, bias, dy)]
    tolerance = 1e-6 if dtype == np.float32 else 1e-14
    y = _forward(cpu, x, weight, bias, 0.3, share)
    assert_close(y, _forward(reference, *wide[:3], 0.3, share), tolerance)
    found = _backward(cpu, dy, x, weight, 0.3, share)
    wanted = _backward(reference, wide[3], wide[0], wide[1], 0.3, share)
    for one, other in zip(found, wanted, strict=True):
        assert_close(one, other, tolerance)


@pytest.mark.parametrize("needs", [(True, False, False), (False, True, True)])
def test_a_gradient_that_nobody_needs_is_not_computed(monkeypatch, needs):
    x, weight, bias, dy = _arrays(5, 33, 129)
    _, saved = drop_connect.forward(x, weight, bias, 0.3, seed=1, stream=2)
    wanted = drop_connect.backward(dy, saved)
    computed, backward = {}, cpu.backward

    def watched(**named):
        computed.update(named)
        backward(**named)

    monkeypatch.setattr(cpu, "backward", watched)
    found = drop_connect.backward(dy, saved, needs)
    assert [computed[name].size > 0 for name in ("out_dx", "out_dweight")] == list(needs[:2])
    assert (computed["work_dx"].size > 0) == needs[0]
    for gradient, other, needed in zip(found, wanted, needs, strict=True):
        assert gradient is None if not needed else (gradient == other).all()


@given(
    st.integers(1, 5),
    st.integers(1, 40),
    st.integers(1, 140),
    st.integers(1, 6),
    st.floats(0, 0.999),
    st.integers(0, 2**64 - 1),
)
def test_b9_drop_connect_any_shape_probability_and_seed(n, units, inputs, share, p_drop, seed):
    x, weight, bias, dy = _arrays(n, units, inputs)
    y, saved = drop_connect.forward(x, weight, bias, p_drop, seed=seed, stream=1, share=share)
    threshold = round(p_drop * 2**32)
    drawn = reference.masks(seed, 1, threshold, -(-n // share), units, inputs)
    masked = np.repeat(drawn, share, axis=0)[:n] * weight
    assert_close(y, np.einsum("noi,ni->no", masked, x) + bias, 1e-13)
    dx, dweight, dbias = drop_connect.backward(dy, saved)
    assert_close(dx, np.einsum("noi,no->ni", masked, dy), 1e-13)
    assert_close(dweight, np.einsum("noi,no,ni->oi", masked != 0, dy, x), 1e-13)
    assert_close(dbias, dy.sum(0), 1e-13)


def test_b9_drop_connect_reference_backward_against_central_differences():
    x, weight, bias, dy = _arrays(4, 3, 5)
    dx, dweight = _backward(reference, dy, x, weight, 0.4, 2)

    def loss(x, weight):
        return np.sum(dy * _forward(reference, x, weight, bias, 0.4, 2))

    assert_close(dx, central_differences(lambda moved: loss(moved, weight), x), 1e-7)
    assert_close(dweight, central_differences(lambda moved: loss(x, moved), weight), 1e-7)


def test_b9_masks_are_the_coins_of_dropout():
    """One group of 32 rows of 128 is one block: the mask of as many elements."""
    ones, _ = bernoulli_mask.forward(np.ones((32, 128)), 0.3, seed=7, stream=9, scale=1)
    drawn = reference.masks(7, 9, round(0.3 * 2**32), 1, 32, 128)
    assert_same_bits(drawn[0].astype(np.float64), ones)


def test_b9_statistics_of_masks():
    """Ones against unit weights count kept weights: mean, and independence of examples, units."""
    n, units, inputs, keep = 400, 40, 500, 0.7
    y, _ = drop_connect.forward(
        np.ones((n, inputs)), np.ones((units, inputs)), None, 1 - keep, seed=0, stream=0
    )
    share = y / inputs
    spread = keep * (1 - keep) / inputs
    assert abs(share.mean() - keep) < 4 * np.sqrt(spread / share.size)
    assert abs(share.var() - spread) < 4 * spread * np.sqrt(2 / share.size)
    z = (share - keep) / np.sqrt(spread)
    for one, other in ((z[1:], z[:-1]), (z[:, 1:], z[:, :-1])):
        assert abs(np.mean(one * other)) < 4 / np.sqrt(one.size)


def test_b9_gradient_is_exactly_zero_where_dropped():
    x, weight, _, dy = _arrays(1, 9, 20)
    _, saved = drop_connect.forward(x, weight, None, 0.5, seed=1, stream=1)
    _, dweight, dbias = drop_connect.backward(dy, saved)
    kept = reference.masks(1, 1, 2**31, 1, 9, 20)[0]
    assert_same_bits(dweight != 0, kept)
    assert dbias is None


def test_nothing_dropped_is_the_product():
    x, weight, bias, _ = _arrays(4, 5, 40)
    y, _ = drop_connect.forward(x, weight, bias, 0.0, seed=0, stream=0)
    assert_close(y, x @ weight.T + bias, 1e-14)


@pytest.mark.parametrize("units", [33, 300])
def test_same_bits_on_any_number_of_threads(units):
    x, weight, bias, dy = _arrays(20, units, 200, np.float32)

    def run():
        y, saved = drop_connect.forward(x, weight, bias, 0.4, seed=1, stream=2, share=3)
        return y, *drop_connect.backward(dy, saved)

    assert_same_bits_on_threads(run)


def test_inputs_unchanged_read_only_and_strided():
    arrays = _arrays(4, 5, 40)

    def run(change):
        x, weight, bias, dy = (change(array) for array in arrays)
        y, saved = drop_connect.forward(x, weight, bias, 0.4, seed=1, stream=2)
        return y, *drop_connect.backward(dy, saved)

    expected = run(np.copy)
    for change in (lambda array: array, read_only, non_contiguous):
        assert_same_bits(run(change), expected)
    assert_same_bits(arrays, _arrays(4, 5, 40))


@pytest.mark.parametrize(("n", "units", "inputs"), [(0, 3, 4), (2, 0, 4), (2, 3, 0)])
def test_empty(n, units, inputs):
    x, weight, bias, dy = _arrays(n, units, inputs)
    y, saved = drop_connect.forward(x, weight, bias, 0.5, seed=0, stream=0)
    assert_same_bits(y, np.zeros((n, units)) + bias)
    dx, dweight, dbias = drop_connect.backward(dy, saved)
    assert_same_bits((dx, dweight, dbias), (np.zeros_like(x), np.zeros_like(weight), dy.sum(0)))


def test_only_what_is_needed():
    x, weight, bias, dy = _arrays(2, 3, 4)
    _, saved = drop_connect.forward(x, weight, bias, 0.5, seed=0, stream=0)
    assert drop_connect.backward(dy, saved, (False, False, False)) == (None, None, None)
    dx, dweight, dbias = drop_connect.backward(dy, saved, (True, False, True))
    assert dweight is None and dx is not None and dbias is not None


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x": np.zeros((2, 3), np.int32)}, TypeError, "x of float32 or float64, got int32"),
        ({"weight": np.zeros((4, 3), np.float32)}, TypeError, "weight of float64 like the rest"),
        ({"weight": np.zeros(3)}, ValueError, r"weight of shape \(out, in\), got \(3,\)"),
        ({"x": np.zeros((2, 4))}, ValueError, r"x of shape \(N, 3\), got \(2, 4\)"),
        ({"bias": np.zeros(3)}, ValueError, r"bias of shape \(4,\), got \(3,\)"),
        ({"p_drop": 1.0}, ValueError, "p_drop from 0 to below 1, got 1.0"),
        ({"p_drop": np.nan}, ValueError, "p_drop from 0 to below 1, got nan"),
        ({"share": 0}, ValueError, "share of at least 1, got 0"),
        ({"share": 1.5}, ValueError, "share of at least 1, got 1.5"),
        ({"seed": -1}, ValueError, r"seed from 0 to 2\^64 - 1, got -1"),
    ],
)
def test_bad_input(change, error, message):
    good = {"x": np.zeros((2, 3)), "weight": np.zeros((4, 3)), "bias": None, "p_drop": 0.5}
    with pytest.raises(error, match=message):
        drop_connect.forward(**(good | {"seed": 0, "stream": 0} | change))


def test_bad_gradient():
    _, saved = drop_connect.forward(np.zeros((2, 3)), np.zeros((4, 3)), None, 0.5, seed=0, stream=0)
    with pytest.raises(ValueError, match=r"dy of shape \(2, 4\) and float64, got \(4, 2\)"):
        drop_connect.backward(np.zeros((4, 2)), saved)
