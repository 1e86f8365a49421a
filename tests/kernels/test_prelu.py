import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import prelu
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

# (N, C, S): features, one and several pieces of rows; planes, small and of several pieces.
SHAPES = [(1, 1, 1), (7, 5, 1), (300, 67, 1), (3, 4, 50), (2, 3, 20_011), (1, 1, 50_001)]


def inputs(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    x, dy, weight = rng.normal(0, 2, shape), rng.normal(0, 1, shape), rng.normal(0, 1, shape[1])
    return x.astype(dtype), dy.astype(dtype), weight.astype(dtype)


def expected(x, dy, weight):
    x, dy, weight = (a.astype(np.float64) for a in (x, dy, weight))
    y, dx, dweight = np.empty_like(x), np.empty_like(x), np.empty_like(weight)
    prelu.reference.forward(x, weight, out_y=y)
    prelu.reference.backward(dy, x, weight, out_dx=dx, out_dweight=dweight)
    return y, dx, dweight


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("implementation", prelu.IMPLEMENTATIONS)
def test_c5_prelu_writes_the_reference(implementation, dtype, tolerance, shape):
    module = prelu.IMPLEMENTATIONS[implementation]
    x, dy, weight = given_inputs = inputs(shape, dtype)
    before = [array.copy() for array in given_inputs]
    y, dx, dweight = (nan_poisoned(array.shape, dtype) for array in (x, x, weight))
    module.forward(x=x, weight=weight, out_y=y)
    work = scratch_of(module, "backward", {"x": x})
    module.backward(dy=dy, x=x, weight=weight, **work, out_dx=dx, out_dweight=dweight)
    for actual, right in zip((y, dx, dweight), expected(x, dy, weight), strict=True):
        assert_close(actual, right, tolerance)
    assert_same_bits(list(given_inputs), before)


def test_c5_prelu_reference_backward_against_central_differences():
    x, dy, weight = inputs((3, 4, 5), np.float64)

    def loss(x, weight):
        y = np.empty_like(x)
        prelu.reference.forward(x, weight, out_y=y)
        return np.sum(dy * y)

    _, dx, dweight = expected(x, dy, weight)
    assert_close(dx, central_differences(lambda point: loss(point, weight), x), 1e-8)
    assert_close(dweight, central_differences(lambda point: loss(x, point), weight), 1e-8)


def test_c5_slopes_have_the_gradient_of_what_is_not_positive():
    x = np.array([[-2.0, 3.0], [-1.0, 0.0]], np.float32)
    dy = np.array([[10.0, 20.0], [30.0, 40.0]], np.float32)
    y, saved = prelu.forward(x, np.array([0.25], np.float32))
    assert y.tolist() == [[-0.5, 3], [-0.25, 0]]
    dx, dweight = prelu.backward(dy, saved)
    assert dx.tolist() == [[2.5, 20], [7.5, 10]]
    assert dweight.tolist() == [-2 * 10 - 1 * 30]


@given(shape=st.lists(st.integers(0, 9), max_size=4).map(tuple), one=st.booleans())
def test_c5_prelu_any_shape(shape, one):
    channels = 1 if one or len(shape) < 2 else shape[1]
    x, dy, _ = inputs((int(np.prod(shape)), 1), np.float32)
    x, dy = x.reshape(shape), dy.reshape(shape)
    weight = np.linspace(-1, 1, channels, dtype=np.float32)
    y, saved = prelu.forward(x, weight)
    dx, dweight = prelu.backward(dy, saved)
    assert y.shape == dx.shape == shape and dweight.shape == (channels,)
    slopes = weight.reshape((channels,) + (1,) * (len(shape) - 2)) if channels > 1 else weight
    if x.size:
        slopes = np.broadcast_to(slopes, shape or (1,)).reshape(shape)
        assert_close(y, np.where(x > 0, x, slopes * x), 1e-6)
        assert_close(dx, np.where(x > 0, dy, slopes * dy), 1e-6)


@pytest.mark.parametrize("shape", [(300, 67, 1), (2, 3, 20_011)], ids=str)
def test_same_bits_on_1_2_and_3_threads(shape):
    x, dy, weight = inputs(shape, np.float32)

    def run():
        y, saved = prelu.forward(x, weight)
        return y, *prelu.backward(dy, saved)

    assert_same_bits_on_threads(run)


def test_nan_and_infinity():
    x = np.array([np.nan, np.inf, -np.inf, -1], np.float32)
    y, saved = prelu.forward(x, np.array([0.25], np.float32))
    assert np.isnan(y[0]) and y[1:].tolist() == [np.inf, -np.inf, -0.25]
    dx, dweight = prelu.backward(np.ones(4, np.float32), saved)
    assert dx[1:].tolist() == [1, 0.25, 0.25] and np.isnan(dweight[0])


def test_non_contiguous_and_read_only_inputs():
    x, dy, weight = inputs((5, 6, 7), np.float32)
    y, saved = prelu.forward(x, weight)
    results = prelu.backward(dy, saved)
    for changed in (non_contiguous, read_only, np.asfortranarray):
        other_y, other_saved = prelu.forward(changed(x), changed(weight))
        assert_same_bits([other_y, prelu.backward(changed(dy), other_saved)], [y, results])


def test_wrong_dtypes_and_shapes_are_named():
    one = np.ones(1, np.float32)
    with pytest.raises(TypeError, match=r"prelu: .* float32 or float64, got int64"):
        prelu.forward(np.zeros(3, np.int64), one)
    with pytest.raises(TypeError, match=r"expected weight of float64 like the rest"):
        prelu.forward(np.zeros(3), one)
    with pytest.raises(ValueError, match=r"weight of shape \(1,\) or \(3,\), got \(2,\)"):
        prelu.forward(np.zeros((2, 3), np.float32), np.ones(2, np.float32))
    _, saved = prelu.forward(np.zeros(3, np.float32), one)
    with pytest.raises(ValueError, match=r"expected dy of shape \(3,\), got \(4,\)"):
        prelu.backward(np.zeros(4, np.float32), saved)
