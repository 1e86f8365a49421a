import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import activation
from kernels.activation import (
    ELU,
    GELU,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
    TanhGELU,
)
from kernels.activation.formulas import keeps_input_too, keeps_output
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    central_differences,
    nan_poisoned,
    non_contiguous,
    read_only,
)

FORMULAS = [
    ReLU(),
    LeakyReLU(0.1),
    ELU(1.5, 1.1, 0.7),
    Hardtanh(-0.5, 2.0),
    Sigmoid(),
    Tanh(),
    GELU(),
    TanhGELU(),
    SiLU(),
    Softplus(2.0, 20.0),
    LogSigmoid(),
]
EVERY = pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: type(formula).__name__)
DTYPES = [(np.float32, 1e-6), (np.float64, 1e-14)]

# One, a prime, a vector's tail, several chunks with a tail: serial and parallel.
SIZES = [1, 7, 31, 4099, 150_001]

# At -inf and inf.
LIMITS = {
    ReLU: (0, np.inf),
    LeakyReLU: (-np.inf, np.inf),
    ELU: (-1.5 * 1.1, np.inf),
    Hardtanh: (-0.5, 2),
    Sigmoid: (0, 1),
    Tanh: (-1, 1),
    GELU: (0, np.inf),
    TanhGELU: (0, np.inf),
    SiLU: (0, np.inf),
    Softplus: (0, np.inf),
    LogSigmoid: (-np.inf, 0),
}
SLOPES = {
    ReLU: (0, 1),
    LeakyReLU: (0.1, 1),
    ELU: (0, 1.1),
    Hardtanh: (0, 0),
    Sigmoid: (0, 0),
    Tanh: (0, 0),
    LogSigmoid: (1, 0),
}


def inputs(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    x, dy = rng.normal(0, 3, shape), rng.normal(0, 1, shape)
    return x.astype(dtype), dy.astype(dtype)


def kept_by(formula, x, y):
    """What backward takes besides dy."""
    return y if keeps_output(formula) else x, x if keeps_input_too(formula) else x.reshape(-1)[:0]


def expected(formula, x, dy):
    x, dy = x.astype(np.float64), dy.astype(np.float64)
    y, dx = nan_poisoned(x.shape, x.dtype), nan_poisoned(x.shape, x.dtype)
    activation.reference.forward(formula, x, out_y=y)
    activation.reference.backward(formula, dy, *kept_by(formula, x, y), out_dx=dx)
    return y, dx


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("implementation", activation.IMPLEMENTATIONS)
@EVERY
def test_c1_c2_c3_c4_c6_activation_writes_the_reference(
    formula, implementation, dtype, tolerance, size
):
    module = activation.IMPLEMENTATIONS[implementation]
    x, dy = inputs(size, dtype)
    y, dx = nan_poisoned(size, dtype), nan_poisoned(size, dtype)
    x_before, dy_before = x.copy(), dy.copy()
    module.forward(formula=formula, x=x, out_y=y)
    y_before = y.copy()
    kept, more = kept_by(formula, x, y)
    module.backward(formula=formula, dy=dy, kept=kept, x=more, out_dx=dx)
    expected_y, expected_dx = expected(formula, x, dy)
    assert_close(y, expected_y, tolerance)
    assert_close(dx, expected_dx, tolerance)
    assert_same_bits([x, dy, y], [x_before, dy_before, y_before])


@EVERY
def test_c1_c2_c3_c4_c6_activation_reference_backward_against_central_differences(formula):
    x, dy = inputs((5, 7), np.float64)

    def loss(point):
        y = np.empty_like(point)
        activation.reference.forward(formula, point, out_y=y)
        return np.sum(dy * y)

    assert_close(expected(formula, x, dy)[1], central_differences(loss, x), 1e-8)


@EVERY
def test_c6_no_element_is_wild(formula):
    """assert_close means over elements; here each is near, also far out."""
    x = np.linspace(-40, 40, 100_003).astype(np.float32)
    y, saved = activation.forward(formula, x)
    dx = activation.backward(np.ones_like(x), saved)
    for actual, right in zip((y, dx), expected(formula, x, np.ones_like(x)), strict=True):
        error = np.abs(actual - right) / np.maximum(1, np.abs(right))
        assert error.max() < 3e-6, f"{error.max():.1e} at {x[error.argmax()]}"


@pytest.mark.parametrize("formula", [ELU(), ELU(1.3, 1.2, 0.7), ELU(0.5, 1.0, 2.0)], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_elu_keeps_the_digits_of_its_gradient_far_below_zero(formula, dtype):
    """Of e^x - 1 nothing is left there that could tell e^x."""
    x = -np.linspace(0.001, 80 / formula.rate, 5003).astype(dtype)
    _, saved = activation.forward(formula, x)
    dx = activation.backward(np.ones_like(x), saved)
    right = formula.scale * formula.alpha * formula.rate * np.exp(formula.rate * x.astype(float))
    np.testing.assert_allclose(dx, right, rtol=1e-5)


def test_elu_without_its_input_takes_the_gradient_from_its_output():
    """As after a change in place."""
    x = np.array([-3.0, -1.0, 0.5], np.float32)
    _, saved = activation.forward(ELU(), x)
    dx = activation.backward(np.ones_like(x), saved._replace(x=x[:0]))
    np.testing.assert_allclose(dx, [np.exp(-3.0), np.exp(-1.0), 1.0], rtol=1e-5)


@settings(deadline=None, max_examples=40)
@given(
    shape=st.lists(st.integers(0, 13), max_size=4).map(tuple),
    formula=st.sampled_from(FORMULAS),
    seed=st.integers(0, 99),
)
def test_any_shape(shape, formula, seed):
    x, dy = (np.asarray(array) for array in inputs(shape, np.float32, seed))
    y, saved = activation.forward(formula, x)
    dx = activation.backward(dy, saved)
    assert y.dtype == dx.dtype == np.float32
    expected_y, expected_dx = expected(formula, x, dy)
    assert_close(y, expected_y, 1e-6)
    assert_close(dx, expected_dx, 1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_c1_sigmoid_far_out(dtype):
    y, saved = activation.forward(Sigmoid(), np.array([-1000, -10, 10, 1000], dtype))
    assert y[0] == 0 and y[3] == 1
    slope = activation.backward(np.ones(4, dtype), saved)
    assert np.all((0 <= slope) & (slope < 5e-5))


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 1e-12)])
def test_c2_tanh_is_a_scaled_sigmoid(dtype, tolerance):
    x = np.linspace(-9, 9, 1001).astype(dtype)
    tanh, _ = activation.forward(Tanh(), x)
    sigmoid, _ = activation.forward(Sigmoid(), 2 * x)
    assert_close(tanh, 2 * sigmoid - 1, tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softplus_is_x_above_its_threshold_to_the_last_bit(dtype):
    """With 20, as usual, hardly any bit tells whether there is a threshold."""
    x = np.linspace(-3, 3, 101, dtype=dtype)
    dy = np.arange(101, dtype=dtype)
    above = 2 * x > 1
    y, saved = activation.forward(activation.Softplus(beta=2.0, threshold=1.0), x)
    assert_same_bits(y[above], x[above])
    assert (y[~above] > np.maximum(x[~above], 0) + 0.001).all()
    assert_same_bits(activation.backward(dy, saved)[above], dy[above])


def test_c3_relu_has_slope_0_at_0():
    y, saved = activation.forward(ReLU(), np.array([-1, -0.0, 0, 1], np.float32))
    assert y.tolist() == [0, 0, 0, 1]
    assert activation.backward(np.ones(4, np.float32), saved).tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("slope", [0.3, 0.0, -0.3])
def test_c4_leaky_slopes_of_any_sign(slope, dtype):
    x = np.array([-2, -0.0, 0, 2], dtype)
    y, saved = activation.forward(LeakyReLU(slope), x)
    assert_close(y, [-2 * slope, 0, 0, 2], 1e-7)
    assert_close(activation.backward(np.ones(4, dtype), saved), [slope, slope, slope, 1], 1e-7)


@pytest.mark.parametrize("size", [3, 40])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@EVERY
def test_nan_comes_out_and_infinity_has_its_limit(formula, dtype, size):
    x = np.zeros(size, dtype)
    x[-3:] = np.nan, -np.inf, np.inf
    y, saved = activation.forward(formula, x)
    assert np.isnan(y[-3]) and np.isfinite(y[:-3]).all()
    assert tuple(y[-2:]) == pytest.approx(LIMITS[type(formula)])
    dy = np.ones(size, dtype)
    dy[0] = np.nan
    dx = activation.backward(dy, saved)
    assert tuple(dx[-2:]) == pytest.approx(SLOPES.get(type(formula), (0, 1)))
    if type(formula) not in (ReLU, LeakyReLU, Hardtanh):
        assert np.isnan(dx[-3])
    assert np.isnan(dx[0]) or isinstance(formula, ReLU)
    far = np.array([-1000, 1000], dtype)
    y, saved = activation.forward(formula, far)
    right_y, right_dx = expected(formula, far, np.ones(2))
    np.testing.assert_allclose(y, right_y, 1e-6, 1e-10)
    dx = activation.backward(np.ones(2, dtype), saved)
    np.testing.assert_allclose(dx, right_dx, 1e-6, 1e-10)


@EVERY
def test_same_bits_on_1_2_and_3_threads(formula):
    x, dy = inputs(150_001, np.float32)

    def run():
        y, saved = activation.forward(formula, x)
        return y, activation.backward(dy, saved)

    assert_same_bits_on_threads(run)


@EVERY
def test_same_bits_in_a_vector_and_in_a_tail(formula):
    x, _ = inputs(67, np.float32)
    whole, _ = activation.forward(formula, x)
    assert_same_bits(whole[:13], activation.forward(formula, x[:13])[0])
    assert_same_bits(whole[64:], activation.forward(formula, x[64:])[0])


@EVERY
def test_non_contiguous_and_read_only_inputs(formula):
    x, dy = inputs((5, 6, 7), np.float32)
    y, saved = activation.forward(formula, x)
    dx = activation.backward(dy, saved)
    for changed in (non_contiguous, read_only, np.asfortranarray):
        other_y, other_saved = activation.forward(formula, changed(x))
        assert_same_bits([other_y, activation.backward(changed(dy), other_saved)], [y, dx])


@EVERY
def test_empty_input(formula):
    y, saved = activation.forward(formula, np.zeros((3, 0), np.float32))
    dx = activation.backward(np.zeros((3, 0), np.float32), saved)
    assert y.shape == dx.shape == (3, 0)


@EVERY
def test_wrong_dtypes_and_shapes_are_named(formula):
    name = type(formula).__name__
    with pytest.raises(TypeError, match=rf"{name}: .* float32 or float64, got int64"):
        activation.forward(formula, np.zeros(3, np.int64))
    with pytest.raises(TypeError, match=r"NumPy array, got list"):
        activation.forward(formula, [1.0])
    _, saved = activation.forward(formula, np.zeros(3, np.float32))
    with pytest.raises(TypeError, match=r"expected dy of float32 like the rest, got float64"):
        activation.backward(np.zeros(3), saved)
    with pytest.raises(ValueError, match=r"expected dy of shape \(3,\), got \(1, 3\)"):
        activation.backward(np.zeros((1, 3), np.float32), saved)


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def in_pytorch(torch, formula):
    functions = torch.nn.functional
    return {
        ReLU: lambda x: torch.relu(x),
        LeakyReLU: lambda x: functions.leaky_relu(x, *formula),
        ELU: lambda x: (
            formula[1]
            * torch.where(x > 0, x, formula[0] * torch.expm1(formula[2] * x.clamp(max=0)))
        ),
        Hardtanh: lambda x: functions.hardtanh(x, *formula),
        Sigmoid: torch.sigmoid,
        Tanh: torch.tanh,
        GELU: functions.gelu,
        TanhGELU: lambda x: functions.gelu(x, approximate="tanh"),
        SiLU: functions.silu,
        Softplus: lambda x: functions.softplus(x, *formula),
        LogSigmoid: functions.logsigmoid,
    }[type(formula)]


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@EVERY
def test_c1_c2_c3_c4_c6_activation_against_pytorch(torch, formula, dtype, tolerance):
    x, dy = inputs((13, 17), dtype)
    x_torch = torch.from_numpy(x).requires_grad_()
    y_torch = in_pytorch(torch, formula)(x_torch)
    y_torch.backward(torch.from_numpy(dy))
    y, saved = activation.forward(formula, x)
    assert_close(y, y_torch.detach().numpy(), tolerance)
    assert_close(activation.backward(dy, saved), x_torch.grad.numpy(), tolerance)
