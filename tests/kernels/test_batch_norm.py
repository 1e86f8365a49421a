import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import batch_norm
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

# Columns: single, prime, a strip's end, blocks of samples; strips alone and in parts.
# Planes: rows below and over a value's width, several a block, several blocks a row; then
# parallel, by channels and in parts.
SHAPES = [
    (2, 1, 1),
    (7, 5, 1),
    (13, 131, 1),
    (521, 3, 1),
    (67, 521, 1),
    (4099, 9, 1),
    (1, 3, 2),
    (5, 3, 7),
    (3, 2, 61),
    (2, 1, 2053),
    (13, 11, 257),
    (5, 2, 4099),
]


def inputs(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    channels = shape[1]
    arrays = (
        rng.normal(1, 2, shape),
        rng.normal(1, 0.3, channels),
        rng.normal(0, 1, channels),
        rng.normal(0, 1, shape),
    )
    return tuple(array.astype(dtype) for array in arrays)


def run_training(module, x, gamma, beta, dy, relu, residual=None):
    """y, mean, var, dx, dgamma, dbeta, dresidual of an implementation, for x (N, C, S)."""
    y = nan_poisoned(x.shape, x.dtype)
    mean, var = nan_poisoned(x.shape[1], np.float64), nan_poisoned(x.shape[1], np.float64)
    module.forward(
        x=x,
        gamma=gamma,
        beta=beta,
        out_y=y,
        out_mean=mean,
        out_var=var,
        **options_of(module, x, relu, residual),
    )
    add = residual is not None
    given = x, y, gamma, beta, mean, var, dy
    return y, mean, var, *run_backward(module, *given, relu, add, training=True)


def options_of(module, x, relu, residual):
    added = x[:0] if residual is None else residual
    work = scratch_of(module, "forward", {"x": x})
    return {"residual": added, "eps": EPS, "relu": relu, **work}


def run_backward(module, x, y, gamma, beta, mean, var, dy, relu, add, training):
    """dx, dgamma, dbeta, and with `add` dresidual."""
    y = y if add and relu else x[:0]
    dx, dresidual = nan_poisoned(x.shape, x.dtype), nan_poisoned(y.shape, x.dtype)
    dgamma, dbeta = nan_poisoned(x.shape[1], x.dtype), nan_poisoned(x.shape[1], x.dtype)
    module.backward(
        dy=dy,
        x=x,
        y=y,
        gamma=gamma,
        beta=beta,
        mean=mean,
        var=var,
        eps=EPS,
        relu=relu,
        training=training,
        out_dx=dx,
        out_dresidual=dresidual,
        out_dgamma=dgamma,
        out_dbeta=dbeta,
        **scratch_of(module, "backward", {"x": x}),
    )
    if not add:
        return dx, dgamma, dbeta
    return dx, dgamma, dbeta, dresidual if relu else dy


def run_inference(module, x, gamma, beta, dy, relu, mean, var, residual=None):
    y = nan_poisoned(x.shape, x.dtype)
    options = options_of(module, x, relu, residual)
    module.inference_forward(x=x, mean=mean, var=var, gamma=gamma, beta=beta, out_y=y, **options)
    add = residual is not None
    given = x, y, gamma, beta, mean, var, dy
    return y, *run_backward(module, *given, relu, add, training=False)


def wide(*arrays):
    return tuple(array.astype(np.float64) for array in arrays)


def expected_training(x, gamma, beta, dy, relu, residual=None):
    added = None if residual is None else residual.astype(np.float64)
    return run_training(batch_norm.reference, *wide(x, gamma, beta, dy), relu, added)


def clear_of_the_edge(x, gamma, beta, dy, residual=None):
    """Zero dy where rounding decides whether the ReLU passes it."""
    y = expected_training(x, gamma, beta, dy, False, residual)[0]
    return np.where(np.abs(y) < 1e-5, 0, dy).astype(dy.dtype)


@pytest.mark.parametrize("implementation", batch_norm.IMPLEMENTATIONS)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("add", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_a1_a2_batch_norm_writes_the_reference(implementation, dtype, tolerance, relu, add, shape):
    x, gamma, beta, dy = inputs(shape, dtype)
    residual = inputs(shape, dtype, seed=1)[0] if add else None
    dy = clear_of_the_edge(x, gamma, beta, dy, residual)
    arrays = [x, gamma, beta, dy, *([residual] if add else [])]
    before = [array.copy() for array in arrays]
    module = batch_norm.IMPLEMENTATIONS[implementation]
    actual = run_training(module, x, gamma, beta, dy, relu, residual)
    expected = expected_training(x, gamma, beta, dy, relu, residual)
    for one, other in zip(actual, expected, strict=True):
        assert_close(one, other, tolerance)
    assert_same_bits(arrays, before)


@pytest.mark.parametrize("implementation", batch_norm.IMPLEMENTATIONS)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize(("relu", "add"), [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("shape", SHAPES)
def test_a3_batch_norm_in_use_writes_the_reference(
    implementation, dtype, tolerance, relu, add, shape
):
    x, gamma, beta, dy = inputs(shape, dtype)
    residual = inputs(shape, dtype, seed=1)[0] if add else None
    rng = np.random.default_rng(1)
    mean, var = rng.normal(1, 1, shape[1]), rng.uniform(0.5, 4, shape[1])
    module = batch_norm.IMPLEMENTATIONS[implementation]
    line = batch_norm.reference._normalize(*wide(x), mean, var, EPS)
    line = gamma[:, None] * line + beta[:, None] + (residual if add else 0)
    dy[np.abs(line) < 1e-5] = 0
    actual = run_inference(module, x, gamma, beta, dy, relu, mean, var, residual)
    given_arrays = wide(x, gamma, beta, dy)
    added = residual.astype(np.float64) if add else None
    expected = run_inference(batch_norm.reference, *given_arrays, relu, mean, var, added)
    for one, other in zip(actual, expected, strict=True):
        assert_close(one, other, tolerance)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("shape", [(5, 3, 1), (3, 2, 4)])
def test_a2_backward_against_central_differences(training, relu, shape):
    """The reference; and the compiled kernels in float64, through the op."""
    x, gamma, beta, dy = inputs(shape, np.float64)
    residual = inputs(shape, np.float64, seed=1)[0]
    mean, var = np.array([0.5, 1.0, 1.5][: shape[1]]), np.array([2.0, 3.0, 4.0][: shape[1]])

    def op(x, gamma, beta, residual):
        options = {"eps": EPS, "relu": relu, "residual": residual}
        if training:
            return batch_norm.forward(x, gamma, beta, **options)
        return batch_norm.inference_forward(x, mean, var, gamma, beta, **options)

    def reference(x, gamma, beta, residual):
        if training:
            return run_training(batch_norm.reference, x, gamma, beta, dy, relu, residual)
        return run_inference(batch_norm.reference, x, gamma, beta, dy, relu, mean, var, residual)

    point = [x, gamma, beta, residual]
    of_op = batch_norm.backward(dy, op(*point)[1])
    for function, gradients in ((op, of_op), (reference, reference(*point)[-4:])):
        for position, gradient in enumerate(gradients):

            def loss(moved, position=position, function=function):
                moved_point = [*point]
                moved_point[position] = moved
                return np.sum(dy * function(*moved_point)[0])

            error = gradient - central_differences(loss, point[position])
            assert rms(error) < 1e-7 * rms(gradient)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-11)])
def test_a2_gradients_to_x_sum_to_zero(dtype, tolerance):
    x, gamma, beta, dy = inputs((64, 7, 5, 5), dtype)
    _, saved = batch_norm.forward(x, gamma, beta)
    dx, *_ = batch_norm.backward(dy, saved)
    assert_close(dx.sum(axis=(0, 2, 3), dtype=np.float64), np.zeros(7), tolerance)


@pytest.mark.parametrize("shape", [(1000, 37), (4099, 3), (64, 12, 14, 14), (3, 2, 4099)])
def test_a1_batch_norm_far_from_zero_in_float32(shape):
    """Mean 1e4, deviation 0.1: a tenth is 102 steps of float32 there."""
    rng = np.random.default_rng(0)
    x = rng.normal(1e4, 0.1, shape).astype(np.float32)
    axes = (0, *range(2, len(shape)))
    y, saved = batch_norm.forward(x, None, None)
    deviation = x.astype(np.float64) - x.mean(axis=axes, dtype=np.float64, keepdims=True)
    var = np.square(deviation).mean(axis=axes, keepdims=True)
    assert_close(y, deviation / np.sqrt(var + EPS), 1e-5)
    assert_close(saved.var / var.ravel(), np.ones(shape[1]), 1e-5)
    mean = y.mean(axis=axes, dtype=np.float64)
    assert_close(mean, np.zeros(shape[1]), 1e-6)
    spread = np.square(y.astype(np.float64)).mean(axis=axes)
    assert_close(spread, (var / (var + EPS)).ravel(), 1e-5)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(1000, 37, 1), (64, 12, 196), (3, 2, 4099)])
def test_a2_gradients_far_from_zero_in_float32(shape, training):
    """The mean is no float32: what rounding cuts off it counts, half a percent of a deviation."""
    rng = np.random.default_rng(0)
    _, gamma, beta, dy = inputs(shape, np.float32)
    x = rng.normal(1e4, 0.1, shape).astype(np.float32)
    dy += 1
    y, mean, var, *expected = expected_training(x, gamma, beta, dy, False)
    options = False, False, training
    if not training:
        x64, *rest, dy64 = wide(x, gamma, beta, dy)
        expected = run_backward(batch_norm.reference, x64, y, *rest, mean, var, dy64, *options)
    y = y.astype(np.float32)
    found = run_backward(batch_norm.cpu, x, y, gamma, beta, mean, var, dy, *options)
    for one, other in zip(found, expected, strict=True):
        assert rms(one - other) < 2e-6 * rms(other)


@pytest.mark.parametrize("shape", [(2000, 3), (16, 3, 11, 11), (1000, 3, 2)])
def test_a1_a_wild_first_element_costs_no_digits(shape):
    """Blocks are shifted by what came before them; the first element must not spoil that."""
    rng = np.random.default_rng(0)
    x = rng.normal(1e3, 0.1, shape).astype(np.float32)
    x[0] += 50
    _, saved = batch_norm.forward(x, None, None)
    var = x.astype(np.float64).var(axis=(0, *range(2, len(shape))))
    assert_close(saved.var / var, np.ones(3), 1e-5)


@pytest.mark.parametrize("positions", [(11,), (3, 5), (2, 3, 4)])
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_a4_feature_maps_equal_rows(positions, dtype, tolerance):
    """One gamma and beta a channel, m = N * positions."""
    x, gamma, beta, dy = inputs((6, 5, *positions), dtype)

    def rows(array):
        return np.moveaxis(array, 1, -1).reshape(-1, 5)

    y, saved = batch_norm.forward(x, gamma, beta)
    y_rows, saved_rows = batch_norm.forward(rows(x), gamma, beta)
    assert_close(rows(y), y_rows, tolerance)
    dx, *rest, _ = batch_norm.backward(dy, saved)
    dx_rows, *rest_of_rows, _ = batch_norm.backward(rows(dy), saved_rows)
    assert_close(rows(dx), dx_rows, tolerance)
    for one, other in zip(rest, rest_of_rows, strict=True):
        assert_close(one, other, tolerance)


@settings(deadline=None, max_examples=30)
@given(
    samples=st.integers(2, 40),
    channels=st.integers(1, 70),
    positions=st.lists(st.integers(1, 9), max_size=3).map(tuple),
    relu=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_shape(samples, channels, positions, relu, seed):
    shape = (samples, channels, *positions)
    x, gamma, beta, dy = inputs(shape, np.float32, seed)
    planes = (samples, channels, -1)
    dy = clear_of_the_edge(x.reshape(planes), gamma, beta, dy.reshape(planes)).reshape(shape)
    y, saved = batch_norm.forward(x, gamma, beta, relu=relu)
    actual = y, saved.mean, saved.var, *batch_norm.backward(dy, saved)[:3]
    expected = expected_training(x.reshape(planes), gamma, beta, dy.reshape(planes), relu)
    # Few values a channel may lie close together, and 1 / sqrt(var) magnifies their rounding.
    tolerance = 1e-6 * max(3.0, 1 / np.sqrt(saved.var.min()))
    for one, other in zip(actual, expected, strict=True):
        assert_close(one, other.reshape(one.shape), tolerance)


@pytest.mark.parametrize("shape", [(6, 3), (6, 3, 4)])
def test_a3_one_sample_alone_equals_the_batch(shape):
    x, gamma, beta, _ = inputs(shape, np.float32)
    mean, var = np.array([0, 1, 2.0]), np.array([1, 2, 3.0])
    whole, _ = batch_norm.inference_forward(x, mean, var, gamma, beta)
    for sample in range(6):
        alone, _ = batch_norm.inference_forward(x[sample : sample + 1], mean, var, gamma, beta)
        assert_same_bits(alone[0], whole[sample])


def test_a3_statistics_may_be_of_either_dtype_and_are_not_kept_by_reference():
    x, gamma, beta, dy = inputs((6, 3), np.float32)
    mean, var = np.array([0, 1, 2], np.float32), np.array([1, 2, 3], np.float32)
    y, saved = batch_norm.inference_forward(x, mean, var, gamma, beta)
    assert_same_bits(batch_norm.inference_forward(x, *wide(mean, var), gamma, beta)[0], y)
    before = batch_norm.backward(dy, saved)
    mean += 1
    assert_same_bits(batch_norm.backward(dy, saved), before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("momentum", [0, 0.1, 1])
@pytest.mark.parametrize("scale", [1.0, 7 / 6])
def test_a3_averages_move_in_place_and_round_as_numpy_does(dtype, momentum, scale):
    rng = np.random.default_rng(0)
    average, value = rng.normal(size=131).astype(dtype), rng.normal(size=131)
    before = value.copy()
    expected = ((1 - momentum) * average + momentum * (scale * value)).astype(dtype)
    assert batch_norm.move_average(average, value, momentum, scale) is None
    assert_same_bits(average, expected)
    assert_same_bits(value, before)


@pytest.mark.parametrize("shape", [(1, 3), (1, 3, 1, 1)])
def test_a3_one_value_a_channel_in_training_is_an_error(shape):
    with pytest.raises(ValueError, match=r"more than one value per channel .* got x \(1, 3"):
        batch_norm.forward(np.zeros(shape, np.float32), None, None)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 1e-12)])
@pytest.mark.parametrize("shape", [(50, 3), (10, 3, 4)])
def test_a7_gamma_and_beta_can_undo_it(dtype, tolerance, shape):
    x, _, _, _ = inputs(shape, dtype)
    _, saved = batch_norm.forward(x, None, None)
    gamma, beta = np.sqrt(saved.var + EPS).astype(dtype), saved.mean.astype(dtype)
    assert_close(batch_norm.forward(x, gamma, beta)[0], x, tolerance)


def test_a8_scale_of_the_input_does_not_matter():
    x, gamma, beta, dy = inputs((50, 3), np.float64)
    y, saved = batch_norm.forward(x, gamma, beta, eps=0.0)
    y_scaled, saved_scaled = batch_norm.forward(10 * x, gamma, beta, eps=0.0)
    assert_close(y_scaled, y, 1e-12)
    dx, dx_scaled = batch_norm.backward(dy, saved)[0], batch_norm.backward(dy, saved_scaled)[0]
    assert_close(10 * dx_scaled, dx, 1e-12)


@pytest.mark.parametrize("shape", [(9, 3), (9, 3, 37)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a9_batch_norm_constant_channel(shape, dtype):
    """var = 0 gives xhat = 0 and y = beta, to the last bit."""
    x, gamma, beta, dy = inputs(shape, dtype)
    x[:, 1] = 1234.567
    y, saved = batch_norm.forward(x, gamma, beta)
    assert saved.var[1] == 0
    assert np.all(y[:, 1] == beta[1])
    dx, dgamma, dbeta, _ = batch_norm.backward(dy, saved)
    assert np.isfinite(dx).all() and np.isfinite(dbeta).all()
    assert dgamma[1] == 0


@pytest.mark.parametrize("shape", [(8, 3), (8, 3, 2)])
def test_a10_output_depends_on_batch_mates_in_training(shape):
    x, gamma, beta, _ = inputs(shape, np.float32)
    whole, _ = batch_norm.forward(x, gamma, beta)
    half, _ = batch_norm.forward(x[:4], gamma, beta)
    assert rms(whole[:4] - half) > 0.01


@pytest.mark.parametrize("shape", [(5, 3), (5, 3, 20)])
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nan_and_infinity_come_out_of_their_channel_alone(shape, relu, dtype):
    x, gamma, beta, dy = inputs(shape, dtype)
    x[2, 0], x[2, 1] = np.nan, np.inf
    y, saved = batch_norm.forward(x, gamma, beta, relu=relu)
    assert np.isnan(y[:, :2]).all() and np.isfinite(y[:, 2]).all()
    assert np.isnan(saved.var[:2]).all()
    dx, *_ = batch_norm.backward(dy, saved)
    assert np.isnan(dx[:, :2]).all() and np.isfinite(dx[:, 2]).all()

    mean, var = np.zeros(3), np.ones(3)
    y, saved = batch_norm.inference_forward(x, mean, var, None, None, relu=relu)
    assert np.isnan(y[2, 0]).all() and np.all(y[2, 1] == np.inf)
    assert np.isfinite(np.delete(y, 2, axis=0)).all()
    dx, *_ = batch_norm.backward(dy, saved)
    assert np.isfinite(dx).all()


@pytest.mark.parametrize("shape", [(67, 521), (4099, 9), (13, 11, 257), (5, 2, 4099)])
@pytest.mark.parametrize(("relu", "add"), [(False, False), (True, False), (True, True)])
def test_same_bits_on_1_2_and_3_threads(shape, relu, add):
    x, gamma, beta, dy = inputs(shape, np.float32)
    mean, var = np.zeros(shape[1]), np.ones(shape[1])
    options = {"relu": relu, "residual": dy if add else None}

    def run():
        y, saved = batch_norm.forward(x, gamma, beta, **options)
        other_y, other = batch_norm.inference_forward(x, mean, var, gamma, beta, **options)
        return [
            y,
            saved.mean,
            saved.var,
            batch_norm.backward(dy, saved),
            other_y,
            batch_norm.backward(dy, other),
        ]

    assert_same_bits_on_threads(run)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("relu", "add"), [(False, False), (True, False), (True, True)])
def test_past_the_caches_the_bits_are_the_same(relu, add, training):
    """Above a size stores go past the caches; eight channels alone stay below it."""
    x, gamma, beta, dy = inputs((8, 64, 80 * 80), np.float32)
    mean, var = np.linspace(0, 2, 64), np.linspace(1, 4, 64)

    def run(channels):
        given = {"relu": relu, "residual": dy[:, channels] if add else None}
        one, scale, shift = x[:, channels], gamma[channels], beta[channels]
        if training:
            y, saved = batch_norm.forward(one, scale, shift, **given)
        else:
            statistics = mean[channels], var[channels]
            y, saved = batch_norm.inference_forward(one, *statistics, scale, shift, **given)
        dx, dgamma, dbeta, dresidual = batch_norm.backward(dy[:, channels], saved)
        return y, dx, dresidual, dgamma, dbeta

    whole = run(slice(64))
    assert all(past_caches(2, 80 * 80, out) for out in whole[:2])
    for first in (0, 24, 56):
        some = slice(first, first + 8)
        few = run(some)
        assert not past_caches(5, 80 * 80, few[0])
        for one, other in zip(whole, few, strict=True):
            kept = None if one is None else one[some] if one.ndim == 1 else one[:, some]
            assert_same_bits(kept, other)


@pytest.mark.parametrize("shape", [(6, 5), (3, 4, 5, 6)])
def test_non_contiguous_and_read_only_inputs(shape):
    x, gamma, beta, dy = inputs(shape, np.float32)

    def run(changed):
        given = changed(x), changed(gamma), changed(beta)
        y, saved = batch_norm.forward(*given, relu=True, residual=changed(dy))
        return [y, batch_norm.backward(changed(dy), saved)]

    plain = run(np.asarray)
    for changed in (non_contiguous, read_only, np.asfortranarray):
        assert_same_bits(run(changed), plain)


def test_gamma_and_beta_may_be_absent():
    x, gamma, beta, dy = inputs((6, 5), np.float32)
    ones, zeros = np.ones(5, np.float32), np.zeros(5, np.float32)
    y, saved = batch_norm.forward(x, None, None)
    y_given, saved_given = batch_norm.forward(x, ones, zeros)
    assert_same_bits(y, y_given)
    dx, dgamma, dbeta, _ = batch_norm.backward(dy, saved)
    assert_same_bits(dx, batch_norm.backward(dy, saved_given)[0])
    assert dgamma is None and dbeta is None
    for given_gamma, given_beta in ((gamma, None), (None, beta)):
        _, saved = batch_norm.forward(x, given_gamma, given_beta)
        _, dgamma, dbeta, _ = batch_norm.backward(dy, saved)
        assert (dgamma is None, dbeta is None) == (given_gamma is None, given_beta is None)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("needs", [(True, False, False, True), (False, True, True, False)])
def test_only_what_is_needed_is_returned(needs, relu):
    x, gamma, beta, dy = inputs((6, 5), np.float32)
    _, saved = batch_norm.forward(x, gamma, beta, relu=relu, residual=x)
    gradients = batch_norm.backward(dy, saved, needs)
    assert [gradient is not None for gradient in gradients] == list(needs)


@pytest.mark.parametrize("shape", [(0, 3), (4, 3, 0)])
def test_empty_input(shape):
    x, gamma, beta, dy = inputs(shape, np.float32)
    for y, saved in (
        batch_norm.forward(x, gamma, beta, relu=True, residual=x),
        batch_norm.inference_forward(x, np.zeros(3), np.ones(3), gamma, beta),
    ):
        dx, dgamma, dbeta, _ = batch_norm.backward(dy, saved)
        assert y.shape == dx.shape == shape
        assert np.all(dgamma == 0) and np.all(dbeta == 0)


def test_wrong_arguments_are_named():
    x, gamma, beta, dy = inputs((6, 5), np.float32)
    mean, var = np.zeros(5), np.ones(5)
    with pytest.raises(TypeError, match=r"batch_norm: .* x of float32 or float64, got int64"):
        batch_norm.forward(x.astype(np.int64), None, None)
    with pytest.raises(TypeError, match="gamma of float32 like the rest, got float64"):
        batch_norm.forward(x, gamma.astype(np.float64), None)
    with pytest.raises(TypeError, match="expected x to be a NumPy array, got NoneType"):
        batch_norm.forward(None, gamma, beta)
    for shape in ((30,), (1, 1, 1, 1, 6, 5)):
        with pytest.raises(ValueError, match=r"x of shape \(N, C\), .*, got \("):
            batch_norm.forward(x.reshape(shape), None, None)
    with pytest.raises(ValueError, match=r"beta of shape \(5,\), got \(4,\)"):
        batch_norm.forward(x, gamma, beta[:4])
    with pytest.raises(ValueError, match=r"residual of shape \(6, 5\), got \(5, 6\)"):
        batch_norm.forward(x, gamma, beta, residual=x.T)
    with pytest.raises(ValueError, match=r"var of shape \(5,\), got \(1, 5\)"):
        batch_norm.inference_forward(x, mean, var[None], gamma, beta)
    with pytest.raises(TypeError, match="mean of float32 or float64, got int64"):
        batch_norm.inference_forward(x, mean.astype(np.int64), var, gamma, beta)
    _, saved = batch_norm.forward(x, gamma, beta)
    with pytest.raises(ValueError, match=r"dy of shape \(6, 5\), got \(5, 6\)"):
        batch_norm.backward(dy.T, saved)
    with pytest.raises(TypeError, match="dy of float32 like the rest, got float64"):
        batch_norm.backward(dy.astype(np.float64), saved)


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(13, 7), (5, 7, 3), (5, 7, 3, 4), (2, 7, 3, 4, 5)])
def test_a1_a2_a3_batch_norm_against_pytorch(torch, dtype, tolerance, training, shape):
    x, gamma, beta, dy = inputs(shape, dtype)
    mean, var = np.linspace(0, 1, 7).astype(dtype), np.linspace(1, 2, 7).astype(dtype)
    leaves = [torch.tensor(array, requires_grad=True) for array in (x, gamma, beta)]
    given_mean, given_var = (None, None) if training else (torch.tensor(mean), torch.tensor(var))
    torch_y = torch.nn.functional.batch_norm(
        leaves[0], given_mean, given_var, leaves[1], leaves[2], training, eps=EPS
    )
    torch_gradients = torch.autograd.grad(torch_y, leaves, torch.tensor(dy))
    if training:
        y, saved = batch_norm.forward(x, gamma, beta)
    else:
        y, saved = batch_norm.inference_forward(x, mean, var, gamma, beta)
    assert_close(y, torch_y.detach().numpy(), tolerance)
    for one, other in zip(batch_norm.backward(dy, saved)[:3], torch_gradients, strict=True):
        assert_close(one, other.numpy(), tolerance)
