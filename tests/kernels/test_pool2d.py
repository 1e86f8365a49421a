"""Max, average and adaptive average pooling (inventory H)."""

from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kernels import pool2d
from kernels.pool2d import cpu, reference
from kernels.pool2d.windows import output_size
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    central_differences,
    nan_poisoned,
    non_contiguous,
    read_only,
)
from tests.kernels.guards import guarded, needed_by

BAND = 256

# x's shape, kernel_size, stride, padding, dilation, ceil_mode
CASES = [
    ((1, 1, 1, 1), (1, 1), (1, 1), (0, 0), (1, 1), False),
    ((2, 3, 28, 28), (2, 2), (2, 2), (0, 0), (1, 1), False),
    ((1, 2, 7, 5), (2, 2), (2, 2), (0, 0), (1, 1), True),
    ((2, 1, 13, 71), (2, 2), (2, 2), (0, 0), (1, 1), False),
    ((3, 1, 5, 37), (3, 3), (1, 1), (1, 1), (1, 1), False),
    ((1, 3, 23, 41), (3, 3), (2, 2), (1, 1), (1, 1), True),
    ((2, 2, 11, 67), (3, 2), (1, 2), (1, 0), (2, 3), False),
    ((1, 2, 17, 19), (2, 5), (3, 4), (1, 2), (1, 1), True),
    ((1, 1, 13, 11), (3, 3), (5, 5), (0, 1), (1, 1), False),
    ((2, 1, 9, 31), (2, 3), (2, 1), (0, 1), (1, 2), False),
    ((1, 2, 13, 17), (13, 17), (13, 17), (0, 0), (1, 1), False),
    ((1, 1, 3, 2), (2, 2), (3, 3), (1, 1), (1, 1), True),
]
AVERAGE_CASES = [(*case[:4], case[5], counted) for case in CASES for counted in (True, False)]
# Side by side, as runs, pairs and others; with a divisor; a gather's stride.
AVERAGE_CASES += [
    ((2, 3, 8, 8), (8, 8), (8, 8), (0, 0), False, True),
    ((3, 2, 20, 33), (4, 33), (4, 33), (0, 0), False, True),
    ((1, 2, 150, 23), (150, 23), (150, 23), (0, 0), False, True),
    ((3, 2, 9, 35), (4, 2), (4, 2), (0, 0), False, True),
    ((2, 2, 19, 37), (9, 2), (9, 2), (0, 0), False, True),
    ((2, 2, 70, 11), (35, 2), (35, 2), (0, 0), False, True),
    ((3, 2, 4, 8), (2, 2), (2, 2), (0, 0), False, True),
    ((3, 2, 5, 7), (2, 2), (2, 2), (0, 0), False, True),
    ((3, 3, 9, 5), (4, 5), (4, 5), (0, 0), False, True),
    ((3, 3, 2, 600), (2, 600), (2, 600), (0, 0), False, True),
    ((2, 3, 13, 67), (3, 4), (3, 4), (0, 0), False, True),
    ((2, 1, 7, 70), (2, 3), (3, 5), (1, 1), True, True),
    ((2, 3, 8, 8), (8, 8), (8, 8), (0, 0), False, True, 7),
    ((1, 2, 7, 21), (3, 2), (2, 3), (1, 1), True, False, 3),
]
ADAPTIVE_CASES = [
    ((1, 1, 1, 1), (1, 1)),
    ((2, 3, 7, 7), (1, 1)),
    ((2, 1, 12, 18), (3, 2)),
    ((1, 2, 13, 11), (5, 3)),
    ((1, 1, 3, 5), (7, 5)),
    ((1, 2, 5, 37), (5, 36)),
]
TOLERANCES = {np.float32: 2e-7, np.float64: 1e-15}
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def _normal(shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def _with_ties(shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).integers(-2, 3, shape).astype(dtype)


def _y_shape(case):
    shape, *pairs, ceil_mode = case
    sizes = [
        output_size(shape[2 + axis], *(pair[axis] for pair in pairs), ceil_mode) for axis in (0, 1)
    ]
    return shape[:2] + tuple(sizes)


@contextmanager
def _between_bands(*kinds):
    """Poisoned arrays, one for each (shape, dtype), that are not to be written beside."""
    wholes = [nan_poisoned(int(np.prod(shape)) + 2 * BAND, dtype) for shape, dtype in kinds]
    bands = np.s_[:BAND], np.s_[-BAND:]
    before = [whole[band].copy() for whole in wholes for band in bands]
    yield [
        whole[BAND:-BAND].reshape(shape) for whole, (shape, _) in zip(wholes, kinds, strict=True)
    ]
    assert_same_bits([whole[band] for whole in wholes for band in bands], before)


def _max_forward(implementation, x, case):
    _, kernel_size, stride, padding, dilation, _ = case
    shape, position = _y_shape(case), np.int8 if np.prod(kernel_size) <= 127 else np.int32
    with _between_bands((shape, x.dtype), (shape, position)) as (y, argmax):
        implementation.max_forward(
            x=guarded(x),
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            out_y=y,
            out_argmax=argmax,
        )
    return y, argmax


def _max_backward(implementation, dy, argmax, case):
    shape, kernel_size, stride, padding, dilation, _ = case
    with _between_bands((shape, dy.dtype)) as (dx,):
        implementation.max_backward(
            dy=guarded(dy),
            argmax=argmax,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            out_dx=dx,
        )
    return dx


def _average(implementation, array, out_shape, case, backward):
    (shape, kernel_size, stride, padding, _, counted, *divisor) = case
    name = "average_backward" if backward else "average_forward"
    rule = kernel_size, stride, padding, counted, divisor[0] if divisor else 0
    window = {"kernel_size": kernel_size, "stride": stride, "padding": padding}
    image = np.empty(shape, array.dtype)
    needed = needed_by(implementation, name, {"x": image, "out_dx": image, **window})
    with _between_bands((out_shape, array.dtype), *needed.values()) as (out, *work):
        getattr(implementation, name)(guarded(array), *rule, *work, out)
    return out


def _adaptive(implementation, array, out_shape, backward):
    name = "adaptive_average_backward" if backward else "adaptive_average_forward"
    other = np.empty(out_shape, array.dtype)
    arrays = {"x": array, "dy": array, "out_y": other, "out_dx": other}
    needed = needed_by(implementation, name, arrays)
    with _between_bands((out_shape, array.dtype), *needed.values()) as (out, *work):
        getattr(implementation, name)(guarded(array), *work, out)
    return out


@DTYPES
@pytest.mark.parametrize("case", CASES)
def test_h_max_equals_reference(case, dtype):
    x = _with_ties(case[0], dtype)
    actual, expected = _max_forward(cpu, x, case), _max_forward(reference, x, case)
    assert_same_bits(actual, expected)
    dy = _normal(expected[0].shape, dtype)
    dx = _max_backward(cpu, dy, expected[1], case)
    assert_close(dx, _max_backward(reference, dy, expected[1], case), TOLERANCES[dtype])


@DTYPES
@pytest.mark.parametrize("case", AVERAGE_CASES)
def test_h_average_equals_reference(case, dtype):
    y_shape = _y_shape((*case[:4], (1, 1), case[4]))
    x, dy = _normal(case[0], dtype), _normal(y_shape, dtype, seed=1)
    for array, out_shape, backward in ((x, y_shape, False), (dy, case[0], True)):
        actual = _average(cpu, array, out_shape, case, backward)
        expected = _average(reference, array, out_shape, case, backward)
        assert_close(actual, expected, TOLERANCES[dtype])


@DTYPES
@pytest.mark.parametrize(("shape", "size"), ADAPTIVE_CASES)
def test_h_adaptive_average_equals_reference(shape, size, dtype):
    y_shape = shape[:2] + size
    x, dy = _normal(shape, dtype), _normal(y_shape, dtype, seed=1)
    for array, out_shape, backward in ((x, y_shape, False), (dy, shape, True)):
        actual = _adaptive(cpu, array, out_shape, backward)
        expected = _adaptive(reference, array, out_shape, backward)
        assert_close(actual, expected, TOLERANCES[dtype])


@given(
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 20), st.integers(1, 40)),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.tuples(st.integers(0, 2), st.integers(0, 2)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.booleans(),
    st.booleans(),
)
def test_h_pool2d_any_shape(shape, kernel_size, stride, padding, dilation, ceil_mode, counted):
    assume(padding[0] <= kernel_size[0] // 2 and padding[1] <= kernel_size[1] // 2)
    case = shape, kernel_size, stride, padding, dilation, ceil_mode
    plain_case = (*case[:4], (1, 1), ceil_mode)
    assume(min(_y_shape(case)) > 0 and min(_y_shape(plain_case)) > 0)
    x = _with_ties(shape)

    y, saved = pool2d.max_forward(x, kernel_size, stride, padding, dilation, ceil_mode)
    assert_same_bits((y, saved.argmax), _max_forward(reference, x, case))
    dy = _normal(y.shape)
    dx = pool2d.max_backward(dy, saved)
    assert_close(dx, _max_backward(reference, dy, saved.argmax, case), 1e-15)

    y, saved = pool2d.average_forward(x, kernel_size, stride, padding, ceil_mode, counted)
    average_case = (*case[:4], ceil_mode, counted)
    assert_close(y, _average(reference, x, y.shape, average_case, False), 1e-15)
    dy = _normal(y.shape)
    dx = pool2d.average_backward(dy, saved)
    assert_close(dx, _average(reference, dy, shape, average_case, True), 1e-15)


def _adaptive_max(implementation, x, size):
    shape = x.shape[:2] + size
    with _between_bands((shape, x.dtype), (shape, np.int32)) as (y, argmax):
        implementation.adaptive_max_forward(x=guarded(x), out_y=y, out_argmax=argmax)
    return y, argmax


def _adaptive_max_backward(implementation, dy, argmax, shape):
    with _between_bands((shape, dy.dtype)) as (dx,):
        implementation.adaptive_max_backward(dy=guarded(dy), argmax=argmax, out_dx=dx)
    return dx


@DTYPES
@pytest.mark.parametrize(("shape", "size"), ADAPTIVE_CASES)
def test_h_adaptive_max_equals_reference(shape, size, dtype):
    x = _with_ties(shape, dtype)
    x[:, :, ::3, ::4] = np.nan
    actual, expected = _adaptive_max(cpu, x, size), _adaptive_max(reference, x, size)
    assert_same_bits(actual[1], expected[1])
    np.testing.assert_array_equal(actual[0], expected[0])
    dy = _normal(expected[0].shape, dtype)
    dx = _adaptive_max_backward(cpu, dy, expected[1], shape)
    expected_dx = _adaptive_max_backward(reference, dy, expected[1], shape)
    assert_close(dx, expected_dx, TOLERANCES[dtype])


def test_h_adaptive_max_reference_backward_against_central_differences():
    shape, size = (1, 2, 5, 4), (3, 3)
    x = np.random.default_rng(0).permutation(np.arange(np.prod(shape), dtype=float)).reshape(shape)
    y, argmax = _adaptive_max(reference, x, size)
    dy = _normal(y.shape)
    numeric = central_differences(lambda p: np.sum(dy * _adaptive_max(reference, p, size)[0]), x)
    assert_close(_adaptive_max_backward(reference, dy, argmax, shape), numeric, 1e-7)


@pytest.mark.parametrize("case", CASES)
def test_h_indices_are_where_the_maxima_lie(case):
    shape, *rule = case
    x = np.random.default_rng(0).permutation(np.arange(np.prod(shape), dtype=float)).reshape(shape)
    y, saved = pool2d.max_forward(x, *rule)
    planes, indices = x.reshape(*shape[:2], -1), pool2d.max_indices(saved)
    assert indices.dtype == np.int64
    found = np.take_along_axis(planes, indices.reshape(*shape[:2], -1), 2)
    assert_same_bits(found.reshape(y.shape), y)
    size = tuple(min(n, 3) for n in shape[2:])
    y, saved = pool2d.adaptive_max_forward(x, size)
    indices = pool2d.max_indices(saved)
    found = np.take_along_axis(planes, indices.reshape(*shape[:2], -1), 2)
    assert_same_bits(found.reshape(y.shape), y)


@given(
    st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 12), st.integers(1, 20)),
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
)
def test_h_adaptive_any_shape(shape, size):
    x = _normal(shape)
    y, saved = pool2d.adaptive_average_forward(x, size)
    assert_close(y, _adaptive(reference, x, y.shape, False), 1e-15)
    dx = pool2d.adaptive_average_backward(y, saved)
    assert_close(dx, _adaptive(reference, y, shape, True), 1e-15)
    y, saved = pool2d.adaptive_max_forward(x, size)
    assert_same_bits((y, saved.argmax), _adaptive_max(reference, x, size))
    dx = pool2d.adaptive_max_backward(y, saved)
    assert_close(dx, _adaptive_max_backward(reference, y, saved.argmax, shape), 1e-15)


@pytest.mark.parametrize("case", [CASES[2], CASES[11], ((1, 2, 5, 6), *CASES[6][1:])])
def test_h_max_reference_backward_against_central_differences(case):
    shape = case[0]
    x = np.random.default_rng(0).permutation(np.arange(np.prod(shape), dtype=float)).reshape(shape)
    y, argmax = _max_forward(reference, x, case)
    dy = _normal(y.shape)
    numeric = central_differences(lambda p: np.sum(dy * _max_forward(reference, p, case)[0]), x)
    assert_close(_max_backward(reference, dy, argmax, case), numeric, 1e-7)


@pytest.mark.parametrize("counted", [True, False])
def test_h_average_reference_backward_against_central_differences(counted):
    case = (1, 2, 5, 6), (3, 2), (2, 3), (1, 1), True, counted
    y_shape = _y_shape((*case[:4], (1, 1), True))
    x, dy = _normal(case[0]), _normal(y_shape, seed=1)
    numeric = central_differences(
        lambda p: np.sum(dy * _average(reference, p, y_shape, case, False)), x
    )
    assert_close(_average(reference, dy, case[0], case, True), numeric, 1e-8)


def test_h_adaptive_reference_backward_against_central_differences():
    shape, y_shape = (1, 2, 5, 4), (1, 2, 3, 3)
    x, dy = _normal(shape), _normal(y_shape, seed=1)
    numeric = central_differences(lambda p: np.sum(dy * _adaptive(reference, p, y_shape, False)), x)
    assert_close(_adaptive(reference, dy, shape, True), numeric, 1e-8)


@pytest.mark.parametrize("kernel_size", [(2, 2), (3, 3), (12, 12)])
def test_h_of_equal_maxima_the_first(kernel_size):
    x = np.full((1, 2, 24, 24), -np.inf)
    y, saved = pool2d.max_forward(x, kernel_size, kernel_size)
    assert_same_bits(y, np.full(y.shape, -np.inf))
    assert not saved.argmax.any()
    assert saved.argmax.dtype == (np.int8 if kernel_size != (12, 12) else np.int32)
    dx = pool2d.max_backward(np.ones(y.shape), saved)
    expected = np.zeros(x.shape)
    expected[:, :, :: kernel_size[0], :: kernel_size[1]] = 1
    assert_same_bits(dx, expected)


@pytest.mark.parametrize(
    ("kernel_size", "stride", "padding"),
    [((2, 2), (2, 2), (0, 0)), ((3, 3), (1, 1), (1, 1)), ((3, 2), (3, 3), (1, 0))],
)
def test_h_pool2d_nan_propagates(kernel_size, stride, padding):
    x = _with_ties((2, 2, 12, 48))
    nan_in = np.zeros(x.shape)
    nan_in[:, :, ::7, ::5] = 1
    x[nan_in > 0] = np.nan
    hit = pool2d.max_forward(nan_in, kernel_size, stride, padding)[0] > 0
    assert_same_bits(np.isnan(pool2d.max_forward(x, kernel_size, stride, padding)[0]), hit)
    assert_same_bits(np.isnan(pool2d.average_forward(x, kernel_size, stride, padding)[0]), hit)


def test_h_window_wholly_in_the_padding():
    """With dilation a window may miss x; its maximum is -inf, its gradient goes nowhere."""
    x = np.ones((1, 1, 1, 1))
    y, saved = pool2d.max_forward(x, (2, 2), (1, 1), (2, 2), (4, 4))
    assert_same_bits(y, np.full((1, 1, 1, 1), -np.inf))
    assert_same_bits(saved.argmax, np.full((1, 1, 1, 1), -1, np.int8))
    assert_same_bits(pool2d.max_indices(saved), np.full((1, 1, 1, 1), -1))
    assert_same_bits(pool2d.max_backward(y, saved), np.zeros((1, 1, 1, 1)))


def test_h_mean_of_a_plane_keeps_its_digits():
    """2^20 elements around 1e4: summed one by one in float32 the mean would be off by 1e-4."""
    x = _normal((1, 1, 1024, 1024), np.float32) * 0.1 + np.float32(1e4)
    y, _ = pool2d.adaptive_average_forward(x, (1, 1))
    assert abs(y[0, 0, 0, 0] / x.mean(dtype=np.float64) - 1) < 1e-7


def _all_ops(x):
    results = []
    for forward, backward, rule in [
        (pool2d.max_forward, pool2d.max_backward, ((2, 2), (2, 2))),
        (pool2d.max_forward, pool2d.max_backward, ((3, 3), (1, 1), (1, 1))),
        (pool2d.average_forward, pool2d.average_backward, ((2, 2), (2, 2))),
        (pool2d.average_forward, pool2d.average_backward, ((3, 3), (1, 1), (1, 1))),
        (pool2d.adaptive_average_forward, pool2d.adaptive_average_backward, ((1, 1),)),
        (pool2d.adaptive_average_forward, pool2d.adaptive_average_backward, ((5, 3),)),
        (pool2d.average_forward, pool2d.average_backward, ((4, 3), (4, 3))),
        (pool2d.max_forward, pool2d.max_backward, ((3, 3), (3, 3))),
        (pool2d.adaptive_max_forward, pool2d.adaptive_max_backward, ((5, 3),)),
    ]:
        y, saved = forward(x, *rule)
        results += [y, backward(y, saved)]
    return results


def test_h_pool2d_same_bits_on_any_number_of_threads():
    x = _normal((5, 7, 27, 37), np.float32)
    assert x.size > 2 << 14
    assert_same_bits_on_threads(lambda: _all_ops(x))


def test_h_tasks_join_without_a_seam():
    """A plane pooled among many, in a task of several, equals the plane pooled alone."""
    x = _normal((50, 30, 7, 9), np.float32)
    alone = _all_ops(x[21:22, 13:14])
    for many, one in zip(_all_ops(x), alone, strict=True):
        assert_close(many[21:22, 13:14], one, 1e-7)


def test_h_inputs_unchanged_read_only_and_strided():
    x = _normal((2, 3, 9, 11))
    plain = _all_ops(x)
    assert_same_bits(x, _normal((2, 3, 9, 11)))
    assert_same_bits(_all_ops(read_only(x)), plain)
    assert_same_bits(_all_ops(non_contiguous(x)), plain)


@pytest.mark.parametrize("shape", [(0, 3, 8, 8), (2, 0, 8, 8)])
def test_h_pool2d_empty_batch(shape):
    for y, dx in zip(*[iter(_all_ops(np.zeros(shape)))] * 2, strict=True):
        assert y.shape[:2] == shape[:2]
        assert dx.shape == shape


PAIR = "two integers >="


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x": np.zeros((1, 1, 4, 4), np.int32)}, TypeError, "float32 or float64, got int32"),
        ({"x": np.zeros((1, 4, 4))}, ValueError, r"\(N, C, H, W\).* got \(1, 4, 4\)"),
        ({"x": np.zeros((1, 1, 0, 4))}, ValueError, r"H, W > 0, got \(1, 1, 0, 4\)"),
        ({"kernel_size": (5, 2)}, ValueError, r"kernel_size \(5, 2\).* fits, got \(1, 1, 4, 4\)"),
        ({"kernel_size": 2}, ValueError, f"kernel_size as {PAIR} 1, got 2"),
        ({"kernel_size": (2, 2, 2)}, ValueError, f"kernel_size as {PAIR} 1"),
        ({"stride": (0, 1)}, ValueError, f"stride as {PAIR} 1"),
        ({"padding": (-1, 0)}, ValueError, f"padding as {PAIR} 0"),
        (
            {"padding": (0, 2)},
            ValueError,
            "at most half of what a window spans, 1 in axis 1, got 2",
        ),
    ],
)
def test_h_pool2d_bad_input(change, error, message):
    good = {"x": np.zeros((1, 1, 4, 4)), "kernel_size": (2, 2), "stride": (2, 2)}
    for forward in (pool2d.max_forward, pool2d.average_forward):
        with pytest.raises(error, match=message):
            forward(**(good | change))


@pytest.mark.parametrize("forward", [pool2d.adaptive_average_forward, pool2d.adaptive_max_forward])
def test_h_adaptive_bad_input(forward):
    with pytest.raises(ValueError, match=f"output_size as {PAIR} 1, got"):
        forward(np.zeros((1, 1, 4, 4)), (0, 1))
    with pytest.raises(ValueError, match=r"\(N, C, H, W\)"):
        forward(np.zeros((4, 4)), (1, 1))
    with pytest.raises(TypeError, match="float32 or float64, got int64"):
        forward(np.zeros((1, 1, 4, 4), np.int64), (1, 1))


@pytest.mark.parametrize("divisor", [0, 1.5, True])
def test_h_pool2d_bad_divisor(divisor):
    with pytest.raises(ValueError, match="divisor as an integer other than 0, got"):
        pool2d.average_forward(np.zeros((1, 1, 4, 4)), (2, 2), (2, 2), divisor=divisor)


def test_h_pool2d_bad_gradient():
    x = np.zeros((1, 1, 4, 4))
    wrong = np.zeros((1, 1, 3, 2))
    for backward, saved in [
        (pool2d.max_backward, pool2d.max_forward(x, (2, 2), (2, 2))[1]),
        (pool2d.average_backward, pool2d.average_forward(x, (2, 2), (2, 2))[1]),
        (pool2d.adaptive_average_backward, pool2d.adaptive_average_forward(x, (2, 2))[1]),
        (pool2d.adaptive_max_backward, pool2d.adaptive_max_forward(x, (2, 2))[1]),
    ]:
        with pytest.raises(ValueError, match=r"dy of shape \(1, 1, 2, 2\), got \(1, 1, 3, 2\)"):
            backward(wrong, saved)


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def _with_gradient(torch, function, x, dy):
    x = torch.tensor(x, requires_grad=True)
    y = function(x)
    y.backward(torch.tensor(dy))
    return y.detach().numpy(), x.grad.numpy()


@pytest.mark.parametrize("case", CASES)
def test_h_max_equals_pytorch(torch, case):
    shape, *rule = case
    x = _with_ties(shape)
    y, saved = pool2d.max_forward(x, *rule)
    dy = _normal(y.shape)
    expected, gradient = _with_gradient(
        torch, lambda x: torch.nn.functional.max_pool2d(x, *rule), x, dy
    )
    assert_same_bits(y, expected)
    assert_close(pool2d.max_backward(dy, saved), gradient, 1e-15)
    _, indices = torch.nn.functional.max_pool2d(torch.tensor(x), *rule, return_indices=True)
    assert_same_bits(pool2d.max_indices(saved), indices.numpy())


@pytest.mark.parametrize("case", AVERAGE_CASES)
def test_h_average_equals_pytorch(torch, case):
    shape, *rule = case
    x = _normal(shape)
    y, saved = pool2d.average_forward(x, *rule)
    dy = _normal(y.shape)
    expected, gradient = _with_gradient(
        torch, lambda x: torch.nn.functional.avg_pool2d(x, *rule), x, dy
    )
    assert_close(y, expected, 1e-14)
    assert_close(pool2d.average_backward(dy, saved), gradient, 1e-14)


@pytest.mark.parametrize(("shape", "size"), ADAPTIVE_CASES)
def test_h_adaptive_average_equals_pytorch(torch, shape, size):
    x = _normal(shape)
    y, saved = pool2d.adaptive_average_forward(x, size)
    dy = _normal(y.shape)
    expected, gradient = _with_gradient(
        torch, lambda x: torch.nn.functional.adaptive_avg_pool2d(x, size), x, dy
    )
    assert_close(y, expected, 1e-14)
    assert_close(pool2d.adaptive_average_backward(dy, saved), gradient, 1e-14)


@pytest.mark.parametrize(("shape", "size"), ADAPTIVE_CASES)
def test_h_adaptive_max_equals_pytorch(torch, shape, size):
    x = _with_ties(shape)
    y, saved = pool2d.adaptive_max_forward(x, size)
    dy = _normal(y.shape)
    expected, gradient = _with_gradient(
        torch, lambda x: torch.nn.functional.adaptive_max_pool2d(x, size), x, dy
    )
    assert_same_bits(y, expected)
    assert_close(pool2d.adaptive_max_backward(dy, saved), gradient, 1e-15)
    _, indices = torch.nn.functional.adaptive_max_pool2d(torch.tensor(x), size, True)
    assert_same_bits(pool2d.max_indices(saved), indices.numpy())


def test_adaptive_average_of_several_tasks_means_each_plane():
    x = np.random.default_rng(0).standard_normal((2, 75, 31, 29), np.float32)
    y, saved = pool2d.adaptive_average_forward(x, (4, 3))
    for c in (0, 37, 74):
        one, one_saved = pool2d.adaptive_average_forward(x[:, c : c + 1], (4, 3))
        assert_same_bits(y[:, c : c + 1].copy(), one)
        dx = pool2d.adaptive_average_backward(y, saved)[:, c : c + 1].copy()
        assert_same_bits(dx, pool2d.adaptive_average_backward(one, one_saved))
    rows, columns = slice(23, 31), slice(9, 20)  # the last window down, the middle one across
    assert_close(y[1, 74, 3, 1], x[1, 74, rows, columns].mean(dtype=np.float64), 1e-6)
