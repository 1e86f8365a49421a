import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import local_response_norm
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    central_differences,
    nan_poisoned,
    non_contiguous,
    read_only,
    rms,
)
from tests.kernels.guards import scratch_of

DTYPES = [(np.float32, 2e-6), (np.float64, 1e-12)]

# Beta 3/4 goes by roots, others by logarithms; a window wider than the channels; an even one.
ALEXNET = {"size": 5, "alpha": 1e-4, "beta": 0.75, "k": 2.0}
OPTIONS = [
    ALEXNET,
    {"size": 3, "alpha": 0.5, "beta": 0.75, "k": 1.0},
    {"size": 4, "alpha": 0.3, "beta": 0.6, "k": 1.5},
    {"size": 20, "alpha": 0.1, "beta": 1.0, "k": 1.0},
    {"size": 1, "alpha": 1.0, "beta": 0.5, "k": 1.0},
]
SHAPES = [(1, 1, 1), (2, 7, 1), (3, 5, 67), (2, 11, 131), (5, 13, 569)]


def inputs(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return tuple(rng.normal(0, 2, shape).astype(dtype) for _ in range(2))


def run_all(module, x, dy, options):
    y, dx = nan_poisoned(x.shape, x.dtype), nan_poisoned(x.shape, x.dtype)
    module.forward(x=x, **options, out_y=y)
    work = scratch_of(module, "backward", {"x": x})
    module.backward(dy=dy, x=x, **options, **work, out_dx=dx)
    return y, dx


def expected(x, dy, options):
    wide = x.astype(np.float64), dy.astype(np.float64)
    return run_all(local_response_norm.reference, *wide, options)


@pytest.mark.parametrize("implementation", local_response_norm.IMPLEMENTATIONS)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", SHAPES)
def test_c10_response_norm_writes_the_reference(implementation, dtype, tolerance, options, shape):
    x, dy = inputs(shape, dtype)
    before = x.copy(), dy.copy()
    actual = run_all(local_response_norm.IMPLEMENTATIONS[implementation], x, dy, options)
    for one, other in zip(actual, expected(x, dy, options), strict=True):
        assert_close(one, other, tolerance)
    assert_same_bits([x, dy], before)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_c10_gradient_at_the_channel_edges(options):
    """The reference, and the compiled kernels in float64: each channel on its own."""
    x, dy = inputs((2, 7, 3), np.float64)
    _, saved = local_response_norm.forward(x, **options)
    of_op = local_response_norm.backward(dy, saved)

    def through_op(x):
        return np.sum(dy * local_response_norm.forward(x, **options)[0])

    def through_reference(x):
        y = np.empty_like(x)
        local_response_norm.reference.forward(x, **options, out_y=y)
        return np.sum(dy * y)

    for loss, gradient in ((through_op, of_op), (through_reference, expected(x, dy, options)[1])):
        differences = central_differences(loss, x)
        for channel in range(7):
            error = gradient[:, channel] - differences[:, channel]
            assert rms(error) < 1e-7 * rms(gradient[:, channel])


def test_c10_definition_at_alexnets_constants():
    """b_i = a_i / (k + alpha sum over |j - i| <= n/2 of a_j^2)^beta."""
    a, _ = inputs((1, 9, 1), np.float64)
    b, _ = local_response_norm.forward(100 * a, **ALEXNET)
    for i in range(9):
        nearby = [j for j in range(9) if abs(j - i) <= 5 / 2]
        total = sum((100 * a[0, j, 0]) ** 2 for j in nearby)
        assert b[0, i, 0] == pytest.approx(100 * a[0, i, 0] / (2 + 1e-4 * total) ** 0.75, rel=1e-12)


@settings(deadline=None, max_examples=20)
@given(
    shape=st.tuples(*[st.integers(1, 12)] * 4),
    size=st.integers(1, 9),
    beta=st.sampled_from([0.75, 0.4]),
    seed=st.integers(0, 99),
)
def test_any_shape(shape, size, beta, seed):
    x, dy = inputs(shape, np.float32, seed)
    options = {"size": size, "alpha": 0.1, "beta": beta, "k": 1.0}
    y, saved = local_response_norm.forward(x, **options)
    dx = local_response_norm.backward(dy, saved)
    flat = shape[0], shape[1], -1
    for one, other in zip(
        (y, dx), expected(x.reshape(flat), dy.reshape(flat), options), strict=True
    ):
        assert_close(one, other.reshape(shape), 3e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("beta", [0.75, 0.5])
def test_nan_reaches_its_window_alone(dtype, beta):
    x = np.ones((1, 9, 17), dtype)
    x[0, 4, 3] = np.nan
    y, saved = local_response_norm.forward(x, 3, beta=beta)
    dx = local_response_norm.backward(np.ones_like(x), saved)
    assert np.isnan(y[0, 3:6, 3]).all() and np.isnan(y).sum() == 3
    assert np.isnan(dx[0, 2:7, 3]).all() and np.isnan(dx).sum() == 5


def test_same_bits_on_1_2_and_3_threads():
    x, dy = inputs((5, 13, 569), np.float32)

    def run():
        y, saved = local_response_norm.forward(x, 5)
        return [y, local_response_norm.backward(dy, saved)]

    assert_same_bits_on_threads(run)


def test_non_contiguous_read_only_and_empty_inputs():
    x, dy = inputs((2, 5, 3, 4), np.float32)

    def run(changed):
        y, saved = local_response_norm.forward(changed(x), 5)
        return [y, local_response_norm.backward(changed(dy), saved)]

    for changed in (non_contiguous, read_only, np.asfortranarray):
        assert_same_bits(run(changed), run(np.asarray))
    for shape in ((0, 3, 4), (2, 0, 4), (2, 3, 0)):
        y, saved = local_response_norm.forward(np.zeros(shape, np.float32), 5)
        assert y.shape == local_response_norm.backward(y, saved).shape == shape


def test_wrong_arguments_are_named():
    x = np.zeros((2, 3, 4), np.float32)
    with pytest.raises(TypeError, match=r"local_response_norm: .* float32 or float64, got int64"):
        local_response_norm.forward(x.astype(np.int64), 5)
    with pytest.raises(ValueError, match=r"x of shape \(N, C, ...\), got \(24,\)"):
        local_response_norm.forward(x.reshape(-1), 5)
    with pytest.raises(ValueError, match="expected size >= 1, got 0"):
        local_response_norm.forward(x, 0)
    _, saved = local_response_norm.forward(x, 5)
    with pytest.raises(ValueError, match=r"dy of shape \(2, 3, 4\), got \(2, 3\)"):
        local_response_norm.backward(x[..., 0], saved)
    with pytest.raises(TypeError, match="dy of float32 like the rest, got float64"):
        local_response_norm.backward(x.astype(np.float64), saved)
