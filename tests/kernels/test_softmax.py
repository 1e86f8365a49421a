import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import softmax
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
BOTH = pytest.mark.parametrize("log", [False, True], ids=["softmax", "log"])

# (outer, length, inner): rows shorter than a value, with tails, in parallel; columns likewise.
SHAPES = [(1, 1, 1), (5, 7, 1), (13, 100, 1), (331, 61, 1), (2, 5, 3), (3, 130, 37), (7, 11, 409)]


def inputs(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 3, shape).astype(dtype), rng.normal(0, 1, shape).astype(dtype)


def expected(log, x, dy):
    x, dy = x.astype(np.float64), dy.astype(np.float64)
    y, dx = nan_poisoned(x.shape, x.dtype), nan_poisoned(x.shape, x.dtype)
    softmax.reference.forward(x, log, out_y=y)
    softmax.reference.backward(dy, y, log, out_dx=dx)
    return y, dx


@BOTH
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("implementation", softmax.IMPLEMENTATIONS)
def test_implementation_writes_the_reference(implementation, dtype, tolerance, shape, log):
    module = softmax.IMPLEMENTATIONS[implementation]
    x, dy = inputs(shape, dtype)
    y, dx = nan_poisoned(shape, dtype), nan_poisoned(shape, dtype)
    x_before, dy_before = x.copy(), dy.copy()
    module.forward(x=x, log=log, out_y=y)
    y_before = y.copy()
    module.backward(dy=dy, y=y, log=log, out_dx=dx)
    expected_y, expected_dx = expected(log, x, dy)
    assert_close(y, expected_y, tolerance)
    assert_close(dx, expected_dx, tolerance)
    assert_same_bits([x, dy, y], [x_before, dy_before, y_before])


@BOTH
def test_reference_backward_against_central_differences(log):
    x, dy = inputs((2, 5, 3), np.float64)

    def loss(point):
        y = np.empty_like(point)
        softmax.reference.forward(point, log, out_y=y)
        return np.sum(dy * y)

    assert_close(expected(log, x, dy)[1], central_differences(loss, x), 1e-8)


@given(
    shape=st.lists(st.integers(0, 21), min_size=1, max_size=4).map(tuple),
    axis=st.integers(0, 3),
    log=st.booleans(),
)
def test_any_shape_and_axis(shape, axis, log):
    axis %= len(shape)
    x, dy = inputs(shape, np.float32)
    y, saved = softmax.forward(x, axis, log=log)
    dx = softmax.backward(dy, saved)
    again, _ = softmax.forward(x, axis - len(shape), log=log)
    assert_same_bits(y, again)
    if x.size:
        lines = [np.moveaxis(a, axis, 1 if a.ndim > 1 else 0) for a in (x, dy, y, dx)]
        lines = [a.reshape(a.shape[0] if a.ndim > 1 else 1, shape[axis], -1) for a in lines]
        expected_y, expected_dx = expected(log, *lines[:2])
        assert_close(lines[2], expected_y, 2e-6)
        assert_close(lines[3], expected_dx, 2e-6)


@pytest.mark.parametrize("inner", [1, 20])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extremes(dtype, inner):
    lines = [[1000, 0, -1000], [-np.inf, 5, 5], [np.nan, 0, 0], [-np.inf] * 3, [-1e30, 0, -1e30]]
    x = np.repeat(np.array(lines, dtype)[:, :, None], inner, axis=2)
    y, saved = softmax.forward(x, 1)
    right = [[1, 0, 0], [0, 0.5, 0.5], [np.nan] * 3, [np.nan] * 3, [0, 1, 0]]
    np.testing.assert_array_equal(y[:, :, -1], right)
    logarithm, log_saved = softmax.forward(x, 1, log=True)
    np.testing.assert_allclose(logarithm[0, :, 0], [0, -1000, -2000])
    np.testing.assert_allclose(logarithm[1, :, 0], [-np.inf, -np.log(2), -np.log(2)], 1e-6)
    assert np.isnan(logarithm[2:4]).all() and np.isfinite(logarithm[4]).all()
    for kept in (saved, log_saved):
        dx = softmax.backward(np.ones_like(x), kept)
        assert np.isfinite(dx[[0, 1, 4]]).all() and np.isnan(dx[2]).all()


@pytest.mark.parametrize("inner", [1, 20])
def test_long_lines_stay_accurate(inner):
    x, dy = inputs((1, 200_003 // inner, inner), np.float32)
    for log in (False, True):
        y, saved = softmax.forward(x, 1, log=log)
        right, gradient = expected(log, x, dy)
        np.testing.assert_allclose(y, right, 3e-6)
        assert_close(softmax.backward(dy, saved), gradient, 1e-5)


@BOTH
@pytest.mark.parametrize("shape", [(331, 61, 1), (7, 11, 409)], ids=str)
def test_same_bits_on_1_2_and_3_threads(shape, log):
    x, dy = inputs(shape, np.float32)

    def run():
        y, saved = softmax.forward(x, 1, log=log)
        return y, softmax.backward(dy, saved)

    assert_same_bits_on_threads(run)


def test_non_contiguous_and_read_only_inputs():
    x, dy = inputs((5, 6, 7), np.float32)
    y, saved = softmax.forward(x, 2)
    dx = softmax.backward(dy, saved)
    for changed in (non_contiguous, read_only, np.asfortranarray):
        other_y, other_saved = softmax.forward(changed(x), 2)
        assert_same_bits([other_y, softmax.backward(changed(dy), other_saved)], [y, dx])


def test_wrong_dtypes_shapes_and_axes_are_named():
    with pytest.raises(TypeError, match=r"softmax: .* float32 or float64, got int64"):
        softmax.forward(np.zeros(3, np.int64), 0)
    for axis in (1, -2):
        with pytest.raises(ValueError, match=rf"expected axis from -1 to 0, got {axis}"):
            softmax.forward(np.zeros(3), axis)
    _, saved = softmax.forward(np.zeros(3), 0)
    with pytest.raises(TypeError, match=r"expected dy of float64 like the rest, got float32"):
        softmax.backward(np.zeros(3, np.float32), saved)
    with pytest.raises(ValueError, match=r"expected dy of shape \(3,\), got \(1, 3\)"):
        softmax.backward(np.zeros((1, 3)), saved)
