import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import group_norm
from kernels._streaming import past_caches
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

EPS = 1e-5
DTYPES = [(np.float32, 2e-6), (np.float64, 1e-12)]

# (N, G, D, S). Rows with a gamma an element: tails, several blocks, several groups; then parallel
# in one part and in many, with more samples than a lane adds up. Planes: below and over a value's
# width, several blocks; then parallel.
SHAPES = [
    (1, 1, 2, 1),
    (7, 1, 5, 1),
    (13, 3, 19, 1),
    (3, 1, 2053, 1),
    (131, 1, 257, 1),
    (2111, 2, 16, 1),
    (2, 1, 1, 2),
    (5, 3, 2, 7),
    (3, 2, 1, 61),
    (2, 1, 2, 2053),
    (13, 4, 3, 257),
]


def inputs(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    channels = shape[1] * shape[2]
    arrays = (
        rng.normal(1, 2, shape),
        rng.normal(1, 0.3, channels),
        rng.normal(0, 1, channels),
        rng.normal(0, 1, shape),
    )
    return tuple(array.astype(dtype) for array in arrays)


def wide(*arrays):
    return tuple(array.astype(np.float64) for array in arrays)


def run_all(module, x, gamma, beta, dy, centred):
    """y, mean, rstd, dx, dgamma, dbeta of an implementation, for x (N, G, D, S)."""
    y, dx = nan_poisoned(x.shape, x.dtype), nan_poisoned(x.shape, x.dtype)
    rows = x.shape[0] * x.shape[1]
    mean, rstd = nan_poisoned(rows, np.float64), nan_poisoned(rows, np.float64)
    dgamma, dbeta = nan_poisoned(gamma.shape, x.dtype), nan_poisoned(gamma.shape, x.dtype)
    module.forward(
        x=x,
        gamma=gamma,
        beta=beta,
        eps=EPS,
        centred=centred,
        out_y=y,
        out_mean=mean,
        out_rstd=rstd,
    )
    module.backward(
        dy=dy,
        x=x,
        gamma=gamma,
        mean=mean,
        rstd=rstd,
        centred=centred,
        **scratch_of(module, "backward", {"x": x}),
        out_dx=dx,
        out_dgamma=dgamma,
        out_dbeta=dbeta,
    )
    return y, mean, rstd, dx, dgamma, dbeta


def run_lines(module, x, dy, head, scale, offset, level):
    """Every function of planes, for x (P, S)."""
    numbers = [nan_poisoned(len(x), np.float64) for _ in range(4)]
    y, dx = nan_poisoned(x.shape, x.dtype), nan_poisoned(x.shape, x.dtype)
    module.plane_moments(x=x, out_mean=numbers[0], out_var=numbers[1])
    module.plane_sums(dy=dy, x=x, head=head, out_total=numbers[2], out_product=numbers[3])
    module.lines(x=x, head=head, scale=scale, offset=offset, out_y=y)
    module.gradient_lines(
        dy=dy, x=x, head=head, scale=scale, x_scale=offset, dx_offset=level, out_dx=dx
    )
    return *numbers, y, dx


@pytest.mark.parametrize("implementation", group_norm.IMPLEMENTATIONS)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_j_group_norm_writes_the_reference(implementation, dtype, tolerance, centred, shape):
    arrays = inputs(shape, dtype)
    before = [array.copy() for array in arrays]
    actual = run_all(group_norm.IMPLEMENTATIONS[implementation], *arrays, centred)
    expected = run_all(group_norm.reference, *wide(*arrays), centred)
    # Two values a row may lie close together, and 1 / sqrt(var) magnifies their rounding.
    tolerance *= max(1.0, expected[2].max())
    for one, other in zip(actual, expected, strict=True):
        assert_close(one, other, tolerance)
    assert_same_bits(arrays, before)


@pytest.mark.parametrize("implementation", group_norm.IMPLEMENTATIONS)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (3, 2053), (67, 521)])
def test_j_plane_lines_write_the_reference(implementation, dtype, tolerance, shape):
    rng = np.random.default_rng(0)
    x, dy = (rng.normal(1, 2, shape).astype(dtype) for _ in range(2))
    # A head is rounded to x's dtype, which the reference does not know.
    numbers = [rng.normal(1, 1, shape[0]).astype(np.float32).astype(np.float64) for _ in range(4)]
    actual = run_lines(group_norm.IMPLEMENTATIONS[implementation], x, dy, *numbers)
    expected = run_lines(group_norm.reference, *wide(x, dy), *numbers)
    for one, other in zip(actual, expected, strict=True):
        assert_close(one, other, tolerance)


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("shape", [(4, 2, 3, 1), (3, 2, 2, 3)])
def test_j_backward_against_central_differences(centred, shape):
    """The reference; and the compiled kernels in float64, through the op."""
    x, gamma, beta, dy = inputs(shape, np.float64)
    samples, groups, channels, positions = shape
    flat = (samples, groups * channels, positions)

    def op(x, gamma, beta):
        return group_norm.forward(
            x.reshape(flat), gamma, beta, groups=groups, eps=EPS, centred=centred
        )

    def reference(x, gamma, beta):
        return run_all(group_norm.reference, x, gamma, beta, dy, centred)

    point = [x, gamma, beta]
    of_op = group_norm.backward(dy.reshape(flat), op(*point)[1])
    for function, gradients in ((op, of_op), (reference, reference(*point)[-3:])):
        for position, gradient in enumerate(gradients):

            def loss(moved, position=position, function=function):
                moved_point = [*point]
                moved_point[position] = moved
                return np.sum(dy.reshape(-1) * function(*moved_point)[0].reshape(-1))

            differences = central_differences(loss, point[position])
            error = gradient.reshape(differences.shape) - differences
            assert rms(error) < 1e-7 * rms(gradient)


@pytest.mark.parametrize("shape", [(1000, 1, 37, 1), (40, 1, 4099, 1), (16, 4, 3, 196)])
@pytest.mark.parametrize("wild", [False, True])
def test_j_group_norm_far_from_zero_in_float32(shape, wild):
    """Mean 1e4, deviation 0.1: a tenth is 102 steps of float32 there."""
    rng = np.random.default_rng(0)
    x = rng.normal(1e4, 0.1, shape).astype(np.float32)
    if wild:
        x[:, :, 0, 0] += 50
    _, groups, channels, _ = shape
    y, saved = group_norm.forward(
        x.reshape(shape[0], groups * channels, -1), None, None, groups=groups, eps=EPS
    )
    deviation = x.astype(np.float64) - x.mean(axis=(2, 3), dtype=np.float64, keepdims=True)
    var = np.square(deviation).mean(axis=(2, 3))
    expected = deviation / np.sqrt(var + EPS)[..., None, None]
    assert_close(y.reshape(shape), expected, 1e-5)
    assert_close(saved.rstd**-2 / (var + EPS), np.ones_like(var), 1e-5)


@settings(deadline=None, max_examples=30)
@given(
    samples=st.integers(1, 40),
    groups=st.integers(1, 5),
    channels=st.integers(1, 20),
    positions=st.lists(st.integers(1, 9), max_size=3).map(tuple),
    centred=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_shape(samples, groups, channels, positions, centred, seed):
    shape = (samples, groups, channels, int(np.prod(positions)))
    x, gamma, beta, dy = inputs(shape, np.float32, seed)
    whole = (samples, groups * channels, *positions)
    y, saved = group_norm.forward(
        x.reshape(whole), gamma, beta, groups=groups, eps=EPS, centred=centred
    )
    actual = y, saved.mean, saved.rstd, *group_norm.backward(dy.reshape(whole), saved)
    expected = run_all(group_norm.reference, *wide(x, gamma, beta, dy), centred)
    tolerance = 3e-6 * max(1.0, saved.rstd.max())
    for one, other in zip(actual, expected, strict=True):
        assert_close(one, other.reshape(one.shape), tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(9, 3), (9, 3, 37)])
def test_j_constant_rows_give_beta_and_nan_stays_in_its_row(shape, dtype):
    x = np.full(shape, 1234.567, dtype)
    beta = np.array([1, 2, 3], dtype)
    y, saved = group_norm.forward(x, None, beta)
    assert np.all(y == beta.reshape(3, *(1,) * (len(shape) - 2)))
    gradients = group_norm.backward(x, saved)
    assert np.isfinite(gradients[0]).all() and np.isfinite(gradients[2]).all()
    x[4, 1] = np.nan
    y, saved = group_norm.forward(x, None, beta)
    assert np.isnan(y[4]).all() and np.isfinite(np.delete(y, 4, axis=0)).all()
    dx, _, _ = group_norm.backward(np.ones(shape, dtype), saved)
    assert np.isnan(dx[4]).all() and np.isfinite(np.delete(dx, 4, axis=0)).all()


@pytest.mark.parametrize("shape", [(2111, 32), (131, 257), (13, 12, 257)])
def test_same_bits_on_1_2_and_3_threads(shape):
    rng = np.random.default_rng(0)
    x, dy = (rng.normal(1, 2, shape).astype(np.float32) for _ in range(2))
    gamma, beta = (rng.normal(1, 2, shape[1]).astype(np.float32) for _ in range(2))

    def run():
        y, saved = group_norm.forward(x, gamma, beta)
        mean, var = group_norm.plane_moments(x)
        return [
            y,
            saved.mean,
            group_norm.backward(dy, saved),
            mean,
            var,
            group_norm.lines(x, mean, var, mean),
            group_norm.plane_sums(dy, x, mean),
            group_norm.gradient_lines(dy, x, mean, var, mean, var),
        ]

    assert_same_bits_on_threads(run)


def test_past_the_caches_the_bits_are_the_same():
    """Above a size stores go past the caches, unless a row's end is inside a value."""
    rng = np.random.default_rng(0)
    shape = (2100, 64, 64)
    x = rng.normal(1, 2, shape).astype(np.float32)
    y, saved = group_norm.forward(x, None, None, groups=4)
    dx, _, _ = group_norm.backward(x, saved)
    assert past_caches(2, 64, y) and past_caches(2, 64, dx)
    few, few_saved = group_norm.forward(x[:50], None, None, groups=4)
    assert not past_caches(3, 64, few)
    assert_same_bits(y[:50], few)
    assert_same_bits(dx[:50], group_norm.backward(x[:50], few_saved)[0])
    rows = x.reshape(-1, 4096)
    y, saved = group_norm.forward(rows, None, None)
    few, few_saved = group_norm.forward(rows[:50], None, None)
    assert_same_bits(y[:50], few)
    gradient = group_norm.backward(rows, saved)[0]
    assert_same_bits(gradient[:50], group_norm.backward(rows[:50], few_saved)[0])


def test_lines_past_the_caches_have_the_same_bits():
    rng = np.random.default_rng(0)
    x, dy = (rng.normal(1, 2, (67, 64, 1024)).astype(np.float32) for _ in range(2))
    numbers = [rng.normal(1, 1, x.shape[:2]) for _ in range(4)]
    whole = group_norm.lines(x, *numbers[:3]), group_norm.gradient_lines(dy, x, *numbers)
    assert all(past_caches(2, 1024, out) for out in whole)
    last = [array[-2:] for array in numbers]
    few = group_norm.lines(x[-2:], *last[:3]), group_norm.gradient_lines(dy[-2:], x[-2:], *last)
    assert_same_bits([out[-2:] for out in whole], few)


@pytest.mark.parametrize("shape", [(6, 4), (3, 4, 5, 6)])
def test_non_contiguous_and_read_only_inputs(shape):
    rng = np.random.default_rng(0)
    x, dy = (rng.normal(1, 2, shape).astype(np.float32) for _ in range(2))
    gamma, beta = (rng.normal(1, 2, 4).astype(np.float32) for _ in range(2))

    def run(changed):
        y, saved = group_norm.forward(changed(x), changed(gamma), changed(beta), groups=2)
        return [y, group_norm.backward(changed(dy), saved)]

    plain = run(np.asarray)
    for changed in (non_contiguous, read_only, np.asfortranarray):
        assert_same_bits(run(changed), plain)


def test_gamma_and_beta_may_be_absent_and_only_what_is_needed_is_returned():
    rng = np.random.default_rng(0)
    x, dy = (rng.normal(1, 2, (6, 4)).astype(np.float32) for _ in range(2))
    ones, zeros = np.ones(4, np.float32), np.zeros(4, np.float32)
    y, saved = group_norm.forward(x, None, None)
    y_given, saved_given = group_norm.forward(x, ones, zeros)
    assert_same_bits(y, y_given)
    dx, dgamma, dbeta = group_norm.backward(dy, saved)
    assert_same_bits(dx, group_norm.backward(dy, saved_given)[0])
    assert dgamma is None and dbeta is None
    found = group_norm.backward(dy, saved_given, (False, True, False))
    assert [gradient is not None for gradient in found] == [False, True, False]


@pytest.mark.parametrize("shape", [(0, 4), (0, 4, 3), (3, 4, 0)])
def test_empty_input(shape):
    x = np.zeros(shape, np.float32)
    gamma = np.ones(4, np.float32)
    y, saved = group_norm.forward(x, gamma, gamma, groups=2)
    dx, dgamma, dbeta = group_norm.backward(x, saved)
    assert y.shape == dx.shape == shape
    assert np.all(dgamma == 0) and np.all(dbeta == 0)
    planes = np.zeros(shape[:2])
    assert group_norm.lines(x, planes, planes, planes).shape == shape
    assert group_norm.plane_sums(x, x, planes)[0].shape == shape[:2]
    assert group_norm.gradient_lines(x, x, *[planes] * 4).shape == shape


def test_wrong_arguments_are_named():
    x, gamma = np.zeros((6, 4), np.float32), np.ones(4, np.float32)
    planes = np.zeros((6, 4))
    with pytest.raises(TypeError, match=r"group_norm: .* x of float32 or float64, got int64"):
        group_norm.forward(x.astype(np.int64), None, None)
    with pytest.raises(TypeError, match="gamma of float32 like the rest, got float64"):
        group_norm.forward(x, gamma.astype(np.float64), None)
    with pytest.raises(TypeError, match="expected x to be a NumPy array, got NoneType"):
        group_norm.forward(None, gamma, gamma)
    with pytest.raises(ValueError, match=r"x of shape \(N, C, ...\), got \(24,\)"):
        group_norm.forward(x.reshape(-1), None, None)
    with pytest.raises(ValueError, match=r"groups to divide 4 channels, got 3"):
        group_norm.forward(x, None, None, groups=3)
    with pytest.raises(ValueError, match=r"groups to divide 4 channels, got 0"):
        group_norm.forward(x, None, None, groups=0)
    with pytest.raises(ValueError, match=r"beta of shape \(4,\), got \(3,\)"):
        group_norm.forward(x, gamma, gamma[:3])
    _, saved = group_norm.forward(x, gamma, gamma)
    with pytest.raises(ValueError, match=r"dy of shape \(6, 4\), got \(4, 6\)"):
        group_norm.backward(x.T, saved)
    with pytest.raises(TypeError, match="dy of float32 like the rest, got float64"):
        group_norm.backward(x.astype(np.float64), saved)
    with pytest.raises(ValueError, match=r"one position or more, got x \(2, 3, 0\)"):
        group_norm.plane_moments(np.zeros((2, 3, 0)))
    with pytest.raises(ValueError, match=r"scale of shape \(6, 4\) and float64, got \(4,\)"):
        group_norm.lines(x, planes, planes[0], planes)
    with pytest.raises(ValueError, match=r"dy of shape \(6, 4\), got \(4, 6\)"):
        group_norm.plane_sums(x.T, x, planes)
    with pytest.raises(TypeError, match="dy of float32 like x, got float64"):
        group_norm.gradient_lines(planes, x, planes, planes, planes, planes)


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize("shape", [(13, 6), (5, 6, 3), (5, 6, 3, 4), (2, 6, 3, 4, 5)])
def test_j_group_norm_against_pytorch(dtype, tolerance, groups, shape):
    torch = pytest.importorskip("torch")
    if groups == 6 and len(shape) == 2:
        pytest.skip("one value a group")
    rng = np.random.default_rng(0)
    x, dy = (rng.normal(1, 2, shape).astype(dtype) for _ in range(2))
    gamma, beta = (rng.normal(1, 2, 6).astype(dtype) for _ in range(2))
    leaves = [torch.tensor(array, requires_grad=True) for array in (x, gamma, beta)]
    torch_y = torch.nn.functional.group_norm(leaves[0], groups, *leaves[1:], eps=EPS)
    torch_gradients = torch.autograd.grad(torch_y, leaves, torch.tensor(dy))
    y, saved = group_norm.forward(x, gamma, beta, groups=groups, eps=EPS)
    assert_close(y, torch_y.detach().numpy(), tolerance)
    for one, other in zip(group_norm.backward(dy, saved), torch_gradients, strict=True):
        assert_close(one, other.numpy(), tolerance)
