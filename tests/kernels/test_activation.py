import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import activation
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    central_differences,
    nan_poisoned,
    non_contiguous,
    read_only,
)

NAMES = ["relu", "sigmoid", "tanh"]
DTYPES = [(np.float32, 1e-6), (np.float64, 1e-14)]

# One, a prime, a vector's tail, several chunks with a tail: serial and parallel.
SIZES = [1, 7, 31, 4099, 150_001]


def functions(module, name):
    return getattr(module, f"{name}_forward"), getattr(module, f"{name}_backward")


def inputs(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    x, dy = rng.normal(0, 3, shape), rng.normal(0, 1, shape)
    return x.astype(dtype), dy.astype(dtype)


def expected(name, x, dy):
    forward, backward = functions(activation.reference, name)
    x, dy = x.astype(np.float64), dy.astype(np.float64)
    y, dx = nan_poisoned(x.shape, x.dtype), nan_poisoned(x.shape, x.dtype)
    forward(x, out_y=y)
    backward(dy, y, out_dx=dx)
    return y, dx


@pytest.mark.parametrize("implementation", activation.IMPLEMENTATIONS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("size", SIZES)
def test_c1_c2_c3_implementation_writes_the_reference(implementation, name, dtype, tolerance, size):
    forward, backward = functions(activation.IMPLEMENTATIONS[implementation], name)
    x, dy = inputs(size, dtype)
    y, dx = nan_poisoned(size, dtype), nan_poisoned(size, dtype)
    x_before, dy_before = x.copy(), dy.copy()
    forward(x=x, out_y=y)
    y_before = y.copy()
    backward(dy=dy, y=y, out_dx=dx)
    expected_y, expected_dx = expected(name, x, dy)
    assert_close(y, expected_y, tolerance)
    assert_close(dx, expected_dx, tolerance)
    assert_same_bits([x, dy, y], [x_before, dy_before, y_before])


@pytest.mark.parametrize("name", NAMES)
def test_c1_c2_c3_reference_backward_against_central_differences(name):
    x, dy = inputs((5, 7), np.float64)
    forward, _ = functions(activation.reference, name)

    def loss(point):
        y = np.empty_like(point)
        forward(point, out_y=y)
        return np.sum(dy * y)

    assert_close(expected(name, x, dy)[1], central_differences(loss, x), 1e-8)


@settings(deadline=None, max_examples=20)
@given(
    shape=st.lists(st.integers(0, 13), max_size=4).map(tuple),
    name=st.sampled_from(NAMES),
    seed=st.integers(0, 99),
)
def test_any_shape(shape, name, seed):
    forward, backward = functions(activation, name)
    x, dy = inputs(shape, np.float32, seed)
    y, saved = forward(np.asarray(x))
    dx = backward(np.asarray(dy), saved)
    assert y.dtype == dx.dtype == np.float32
    expected_y, expected_dx = expected(name, np.asarray(x), np.asarray(dy))
    assert_close(y, expected_y, 1e-6)
    assert_close(dx, expected_dx, 1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_c1_sigmoid_far_out(dtype):
    y, saved = activation.sigmoid_forward(np.array([-1000, -10, 10, 1000], dtype))
    assert y[0] == 0 and y[3] == 1
    slope = activation.sigmoid_backward(np.ones(4, dtype), saved)
    assert np.all((0 <= slope) & (slope < 5e-5))


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 1e-12)])
def test_c2_tanh_is_a_scaled_sigmoid(dtype, tolerance):
    x = np.linspace(-9, 9, 1001).astype(dtype)
    tanh, _ = activation.tanh_forward(x)
    sigmoid, _ = activation.sigmoid_forward(2 * x)
    assert_close(tanh, 2 * sigmoid - 1, tolerance)


def test_c3_relu_has_slope_0_at_0():
    y, saved = activation.relu_forward(np.array([-1, -0.0, 0, 1], np.float32))
    assert y.tolist() == [0, 0, 0, 1]
    assert activation.relu_backward(np.ones(4, np.float32), saved).tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [3, 40])
def test_nan_comes_out_and_infinity_has_its_limit(name, dtype, size):
    forward, backward = functions(activation, name)
    x = np.zeros(size, dtype)
    x[-3:] = np.nan, np.inf, -np.inf
    y, saved = forward(x)
    limits = {"relu": (np.inf, 0), "sigmoid": (1, 0), "tanh": (1, -1)}
    assert np.isnan(y[-3]) and tuple(y[-2:]) == limits[name]
    assert np.isfinite(y[:-3]).all()
    dy = np.ones(size, dtype)
    dy[0] = np.nan
    dx = backward(dy, saved)
    assert tuple(dx[-2:]) == {"relu": (1, 0)}.get(name, (0, 0))
    if name != "relu":
        assert np.isnan(dx[0]) and np.isnan(dx[-3])


@pytest.mark.parametrize("name", NAMES)
def test_same_bits_on_1_and_2_threads(name):
    forward, backward = functions(activation, name)
    x, dy = inputs(150_001, np.float32)

    def run():
        y, saved = forward(x)
        return y, backward(dy, saved)

    assert_same_bits_on_threads(run)


@pytest.mark.parametrize("name", NAMES)
def test_same_bits_in_a_vector_and_in_a_tail(name):
    forward, _ = functions(activation, name)
    x, _ = inputs(67, np.float32)
    whole, _ = forward(x)
    assert_same_bits(whole[:13], forward(x[:13])[0])
    assert_same_bits(whole[64:], forward(x[64:])[0])


@pytest.mark.parametrize("name", NAMES)
def test_non_contiguous_and_read_only_inputs(name):
    forward, backward = functions(activation, name)
    x, dy = inputs((5, 6, 7), np.float32)
    y, saved = forward(x)
    dx = backward(dy, saved)
    for changed in (non_contiguous, read_only, np.asfortranarray):
        other_y, other_saved = forward(changed(x))
        assert_same_bits([other_y, backward(changed(dy), other_saved)], [y, dx])


@pytest.mark.parametrize("name", NAMES)
def test_empty_input(name):
    forward, backward = functions(activation, name)
    y, saved = forward(np.zeros((3, 0), np.float32))
    assert y.shape == backward(np.zeros((3, 0), np.float32), saved).shape == (3, 0)


@pytest.mark.parametrize("name", NAMES)
def test_wrong_dtypes_and_shapes_are_named(name):
    forward, backward = functions(activation, name)
    with pytest.raises(TypeError, match=rf"{name}: .* float32 or float64, got int64"):
        forward(np.zeros(3, np.int64))
    with pytest.raises(TypeError, match=r"NumPy array, got list"):
        forward([1.0])
    _, saved = forward(np.zeros(3, np.float32))
    with pytest.raises(TypeError, match=r"expected dy of float32 like the rest, got float64"):
        backward(np.zeros(3), saved)
    with pytest.raises(ValueError, match=r"expected dy of shape \(3,\), got \(1, 3\)"):
        backward(np.zeros((1, 3), np.float32), saved)


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_c1_c2_c3_against_pytorch(torch, name, dtype, tolerance):
    forward, backward = functions(activation, name)
    x, dy = inputs((13, 17), dtype)
    x_torch = torch.from_numpy(x).requires_grad_()
    y_torch = getattr(torch, name)(x_torch)
    y_torch.backward(torch.from_numpy(dy))
    y, saved = forward(x)
    assert_close(y, y_torch.detach().numpy(), tolerance)
    assert_close(backward(dy, saved), x_torch.grad.numpy(), tolerance)
