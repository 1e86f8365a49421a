import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import pointwise_loss
from kernels.pointwise_loss import KINDS
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

DTYPES = [(np.float32, 1e-6), (np.float64, 1e-14)]

# One, a prime, a vector's tail, a block's, several chunks with a tail: serial and parallel.
SIZES = [1, 7, 31, 1031, 50_001]


def inputs(kind, shape, dtype, seed=0):
    """x, targets, weights, a gradient; of "binary" x is a probability."""
    rng = np.random.default_rng(seed)
    x, target = rng.normal(0, 2, shape), rng.uniform(0, 1, shape)
    if kind == "binary":
        x = rng.uniform(0.01, 0.99, shape)
    if kind == "hinge":
        target = np.sign(target - 0.5)
    if kind == "log_divergence":
        target = np.log(target)
    weight, dloss = rng.uniform(0.5, 2, shape), rng.normal(0, 1, shape)
    return tuple(np.asarray(array, dtype) for array in (x, target, weight, dloss))


def run(module, kind, x, target, weight, pos_weight, parameter, wanted=True, each=True):
    losses = nan_poisoned(x.size if each else 0, x.dtype)
    total = nan_poisoned(1, np.float64)
    work = scratch_of(module, "forward", {"x": x})
    gradient = nan_poisoned(x.size if wanted else 0, x.dtype)
    module.forward(
        kind=kind,
        x=x,
        target=target,
        weight=weight,
        pos_weight=pos_weight,
        parameter=parameter,
        scale=0.5,
        **work,
        out_loss=losses,
        out_sum=total,
        out_gradient=gradient,
    )
    return losses, total, gradient


def expected(kind, *arrays, parameter=0.7):
    wide = [array.astype(np.float64) for array in arrays]
    return run(pointwise_loss.reference, kind, *wide, parameter)


@pytest.mark.parametrize("implementation", pointwise_loss.IMPLEMENTATIONS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("size", SIZES)
def test_implementation_writes_the_reference(implementation, kind, dtype, tolerance, size):
    module = pointwise_loss.IMPLEMENTATIONS[implementation]
    x, target, weight, dloss = inputs(kind, size, dtype)
    before = [array.copy() for array in (x, target, weight)]
    none = np.empty(0, dtype)
    for factors in ((none, none), (weight, none), (weight, weight[::-1].copy())):
        if factors[1].size and kind != "logistic":
            continue
        losses, total, gradient = run(module, kind, x, target, *factors, 0.7)
        wanted_losses, wanted_total, wanted_gradient = expected(kind, x, target, *factors)
        assert_close(losses, wanted_losses, 2 * tolerance)
        assert_close(total / size, wanted_total / size, 2 * tolerance)
        assert_close(gradient, wanted_gradient, 4 * tolerance)
    less = run(module, kind, x, target, *factors, 0.7, wanted=False, each=False)
    assert less[0].size == less[2].size == 0
    full = run(module, kind, x, target, *factors, 0.7)
    assert_same_bits(less[1], full[1])
    assert_same_bits([x, target, weight], before)

    for factor in (dloss, dloss[:1]):
        dx = nan_poisoned(size, dtype)
        module.backward(gradient=full[2], dloss=factor, out_dx=dx)
        assert_close(dx, full[2] * factor, tolerance)


@pytest.mark.parametrize("kind", KINDS)
def test_reference_gradient_against_central_differences(kind):
    x, target, weight, _ = inputs(kind, 41, np.float64)
    factors = (weight, weight[::-1] if kind == "logistic" else weight[:0])

    def loss(point):
        return 0.5 * expected(kind, point, target, *factors)[1][0]

    gradient = expected(kind, x, target, *factors)[2]
    assert_close(gradient, central_differences(loss, x), 1e-7)


@settings(deadline=None, max_examples=20)
@given(
    shape=st.lists(st.integers(0, 13), max_size=4).map(tuple),
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 99),
)
def test_any_shape(shape, kind, seed):
    x, target, _, dloss = inputs(kind, shape, np.float32, seed)
    none = np.empty(0)
    losses, saved = pointwise_loss.forward(kind, x, target)
    dx = pointwise_loss.backward(dloss, saved)
    assert losses.dtype == dx.dtype == np.float32 and losses.shape == dx.shape == shape
    total, reduced = pointwise_loss.forward(kind, x, target, divisor=3)
    assert total.shape == () and total.dtype == np.float32
    if x.size:
        flat = x.reshape(-1), target.reshape(-1)
        wanted, whole, slope = expected(kind, *flat, none, none, parameter=1.0)
        assert_close(losses.reshape(-1), wanted, 2e-6)
        assert_close(dx.reshape(-1), 2 * slope * dloss.reshape(-1), 4e-6)
        assert_close(total, whole[0] / 3, 2e-6)
        two = pointwise_loss.backward(np.array(2, np.float32), reduced)
        assert_close(two.reshape(-1), 4 * slope / 3, 4e-6)


def test_weights_broadcast():
    x, target, _, _ = inputs("logistic", (4, 3), np.float32)
    row = np.array([1, 2, 3], np.float32)
    column = np.array([[1], [0], [2], [4]], np.float32)
    spread, _ = pointwise_loss.forward(
        "logistic", x, target, np.broadcast_to(column, x.shape), np.broadcast_to(row, x.shape)
    )
    assert_same_bits(pointwise_loss.forward("logistic", x, target, column, row)[0], spread)


def test_backward_of_several_tasks_scales_each_element():
    x, target = np.random.default_rng(0).standard_normal((2, 9 * (1 << 14) + 13), np.float32)
    saved = pointwise_loss.forward("squared", x, target, divisor=7.0)[1]
    dx = pointwise_loss.backward(np.array(3, np.float32), saved)
    assert_close(dx, 6 * (x.astype(np.float64) - target) / 7, 1e-6)


def test_backward_of_1_is_what_forward_saved():
    x, target, _, _ = inputs("squared", 9, np.float32)
    _, saved = pointwise_loss.forward("squared", x, target, divisor=9)
    assert pointwise_loss.backward(np.ones((), np.float32), saved) is saved.gradient
    two = pointwise_loss.backward(np.array(2, np.float32), saved)
    assert_same_bits(two, 2 * saved.gradient)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [3, 40])
def test_nan_comes_out(kind, size):
    x, target, _, _ = inputs(kind, size, np.float32)
    x[-1] = np.nan
    losses, saved = pointwise_loss.forward(kind, x, target)
    assert np.isnan(losses[-1]) and np.isfinite(losses[:-1]).all()
    assert np.isfinite(saved.gradient[:-1]).all()
    assert np.isnan(pointwise_loss.forward(kind, x, target, divisor=1)[0])
    if kind not in ("divergence", "log_divergence", "hinge"):
        assert np.isnan(saved.gradient[-1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_logits_lose_what_they_are_wrong_by(dtype):
    x, target = np.array([1e4, -1e4, 1e4, -1e4], dtype), np.array([1, 0, 0, 1], dtype)
    losses, saved = pointwise_loss.forward("logistic", x, target)
    assert losses.tolist() == [0, 0, 1e4, 1e4]
    assert saved.gradient.tolist() == [0, 0, 1, -1]


def test_sure_probabilities_lose_at_most_100():
    x, target = np.array([0, 1, 0, 1], np.float32), np.array([0, 1, 1, 0], np.float32)
    losses, saved = pointwise_loss.forward("binary", x, target)
    assert losses.tolist() == [0, 0, 100, 100]
    assert np.isfinite(saved.gradient).all()


@pytest.mark.parametrize("kind", ["squared", "logistic", "binary"])
def test_same_bits_on_1_2_and_3_threads(kind):
    x, target, _, _ = inputs(kind, 150_001, np.float32)

    def compute():
        loss, saved = pointwise_loss.forward(kind, x, target, divisor=7)
        return loss, saved.gradient, pointwise_loss.backward(np.array(2, np.float32), saved)

    assert_same_bits_on_threads(compute)


def test_a_large_sum_keeps_its_digits():
    x = np.full(1_000_003, 0.1, np.float32)
    loss, _ = pointwise_loss.forward("absolute", x, np.zeros_like(x), divisor=x.size)
    assert_close(loss, 0.1, 1e-7)


def test_non_contiguous_and_read_only_inputs():
    x, target, weight, dloss = inputs("logistic", (5, 6, 7), np.float32)

    def compute(changed):
        loss, saved = pointwise_loss.forward(
            "logistic", changed(x), changed(target), changed(weight), changed(weight)
        )
        return loss, pointwise_loss.backward(changed(dloss), saved)

    plain = compute(np.asarray)
    for changed in (non_contiguous, read_only, np.asfortranarray):
        assert_same_bits(compute(changed), plain)


def test_empty_input():
    x = np.zeros((3, 0), np.float32)
    losses, saved = pointwise_loss.forward("squared", x, x)
    assert losses.shape == pointwise_loss.backward(x, saved).shape == (3, 0)
    assert pointwise_loss.forward("squared", x, x, divisor=1)[0] == 0
    assert np.isnan(pointwise_loss.forward("squared", x, x, divisor=0)[0])


def test_wrong_arguments_are_named():
    forward, backward = pointwise_loss.forward, pointwise_loss.backward
    x = np.zeros((2, 3), np.float32)
    with pytest.raises(ValueError, match="expected kind from squared, .*, got 'cubed'"):
        forward("cubed", x, x)
    with pytest.raises(TypeError, match="squared: expected x of float32 or float64, got float16"):
        forward("squared", x.astype(np.float16), x)
    with pytest.raises(TypeError, match="target of float32 like the rest, got float64"):
        forward("squared", x, x.astype(np.float64))
    with pytest.raises(ValueError, match=r"target of shape \(2, 3\), got \(3,\)"):
        forward("squared", x, x[0])
    with pytest.raises(ValueError, match=r"weight that broadcasts to \(2, 3\), got \(2,\)"):
        forward("squared", x, x, x[:, 0])
    for wrong in (-0.5, 1.5):
        with pytest.raises(ValueError, match=f"binary: expected x from 0 to 1, got {wrong}"):
            forward("binary", np.array([np.nan, wrong]), np.zeros(2))
    _, saved = forward("squared", x, x)
    with pytest.raises(ValueError, match=r"dloss of shape \(2, 3\), got \(\)"):
        backward(np.ones((), np.float32), saved)
    with pytest.raises(TypeError, match="dloss of float32 like the rest, got float64"):
        backward(np.ones((2, 3)), saved)
