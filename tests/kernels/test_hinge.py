import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import hinge
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    central_differences,
    nan_poisoned,
    non_contiguous,
    read_only,
)

DTYPES = [(np.float32, 2e-6), (np.float64, 1e-14)]
SHAPES = [(1, 1), (7, 3), (5, 16), (6, 17), (131, 10), (2, 1031), (1601, 11)]


def inputs(rows, classes, dtype, seed=0):
    rng = np.random.default_rng(seed)
    x, weight = rng.normal(0, 1, (rows, classes)), rng.uniform(0.5, 2, classes)
    return x.astype(dtype), rng.integers(0, classes, rows), weight.astype(dtype)


def run(module, x, labels, weight, power, wanted=True):
    losses = nan_poisoned(len(x), np.float64)
    gradient = nan_poisoned(x.shape if wanted else (0, x.shape[1]), x.dtype)
    module.forward(
        x=x,
        labels=labels,
        weight=weight,
        power=power,
        margin=0.8,
        scale=0.5,
        out_loss=losses,
        out_gradient=gradient,
    )
    return losses, gradient


def expected(x, labels, weight, power):
    wide = x.astype(np.float64), labels, weight.astype(np.float64)
    return run(hinge.reference, *wide, power)


@pytest.mark.parametrize("implementation", hinge.IMPLEMENTATIONS)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_implementation_writes_the_reference(implementation, dtype, tolerance, power, shape):
    module = hinge.IMPLEMENTATIONS[implementation]
    given_arrays = inputs(*shape, dtype)
    before = [array.copy() for array in given_arrays]
    losses, gradient = run(module, *given_arrays, power)
    expected_losses, expected_gradient = expected(*given_arrays, power)
    assert_close(losses, expected_losses, tolerance)
    assert_close(gradient, expected_gradient, tolerance)
    assert_same_bits(run(module, *given_arrays, power, wanted=False)[0], losses)
    assert_same_bits(list(given_arrays), before)
    row_scale = np.random.default_rng(1).normal(0, 1, shape[0])
    dx = nan_poisoned(shape, dtype)
    module.backward(gradient=gradient, row_scale=row_scale, out_dx=dx)
    assert_close(dx, expected_gradient * row_scale[:, None], tolerance)


@pytest.mark.parametrize("power", [1, 2])
def test_reference_gradient_against_central_differences(power):
    x, labels, weight = inputs(6, 5, np.float64)

    def loss(point):
        return 0.5 * expected(point, labels, weight, power)[0].sum()

    gradient = expected(x, labels, weight, power)[1]
    assert_close(gradient, central_differences(loss, x), 1e-8)


@settings(deadline=None, max_examples=20)
@given(rows=st.integers(0, 40), classes=st.integers(1, 70), seed=st.integers(0, 99))
def test_any_shape(rows, classes, seed):
    x, labels, weight = inputs(rows, classes, np.float32, seed)
    losses, saved = hinge.forward(x, labels, weight, margin=0.8)
    wanted, slope = expected(x, labels, weight, 1)
    assert_close(losses, wanted, 2e-6)
    dx = hinge.backward(np.full(rows, 2, np.float32), saved)
    assert_close(dx, 4 * slope, 2e-6)


def test_equal_scores_lose_the_margin_for_each_wrong_class():
    loss, saved = hinge.forward(np.zeros((3, 4)), np.array([0, 1, 3]), divisor=3)
    assert loss == 0.75
    assert hinge.backward(np.ones(()), saved) is saved.gradient
    assert_close(saved.gradient.sum(axis=1), np.zeros(3), 1e-15)


def test_nan_comes_out():
    x, labels, _ = inputs(3, 20, np.float32)
    x[1, 7] = np.nan
    losses, _ = hinge.forward(x, labels)
    assert np.isnan(losses).tolist() == [False, True, False]


def test_same_bits_on_1_2_and_3_threads():
    x, labels, weight = inputs(3001, 23, np.float32)

    def compute():
        loss, saved = hinge.forward(x, labels, weight, power=2, divisor=3)
        return loss, saved.gradient, hinge.backward(np.array(2, np.float32), saved)

    assert_same_bits_on_threads(compute)


def test_non_contiguous_and_read_only_inputs():
    x, labels, weight = inputs(7, 5, np.float32)
    plain = hinge.forward(x, labels, weight)
    for changed in (non_contiguous, read_only, np.asfortranarray):
        other = hinge.forward(changed(x), changed(labels), changed(weight))
        assert_same_bits(other[0], plain[0])
        assert_same_bits(other[1].gradient, plain[1].gradient)


def test_wrong_arguments_are_named():
    x, labels, weight = inputs(4, 3, np.float32)
    with pytest.raises(TypeError, match="x of float32 or float64, got float16"):
        hinge.forward(x.astype(np.float16), labels)
    with pytest.raises(TypeError, match="labels to be an integer array, got float32"):
        hinge.forward(x, labels.astype(np.float32))
    with pytest.raises(ValueError, match=r"x of shape \(N, C\), C >= 1, got \(12,\)"):
        hinge.forward(x.reshape(-1), labels)
    with pytest.raises(ValueError, match=r"labels of shape \(4,\), got \(3,\)"):
        hinge.forward(x, labels[:3])
    with pytest.raises(ValueError, match="labels from 0 to 2, got -100 at row 1"):
        hinge.forward(x, np.array([0, -100, 1, 2]))
    with pytest.raises(ValueError, match=r"weight of shape \(3,\), got \(2,\)"):
        hinge.forward(x, labels, weight[:2])
    with pytest.raises(ValueError, match="power 1 or 2, got 3"):
        hinge.forward(x, labels, power=3)
    _, saved = hinge.forward(x, labels)
    with pytest.raises(ValueError, match=r"dloss of shape \(4,\), got \(\)"):
        hinge.backward(np.ones((), np.float32), saved)
