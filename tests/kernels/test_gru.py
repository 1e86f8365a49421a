import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import _memory, gru
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    central_differences,
    nan_poisoned,
    non_contiguous,
    read_only,
)

DTYPES = [(np.float32, 2e-6), (np.float64, 1e-13)]

# (T, N, I, H): one of each; odd sizes; several tiles of rows and of columns, in part.
SHAPES = [(1, 1, 1, 1), (3, 2, 5, 17), (5, 7, 3, 1), (4, 3, 33, 16), (6, 13, 20, 50)]

NAMES = ("x", "h0", "weight_ih", "weight_hh", "bias_ih", "bias_hh")
RESULTS = ("y", "h_n", *(f"d{name}" for name in NAMES))


def inputs(shape, dtype=np.float64, seed=0):
    """The op's inputs in order, then dy and dh_n."""
    steps, samples, size, hidden = shape
    rng = np.random.default_rng(seed)
    shapes = [
        (steps, samples, size),
        (samples, hidden),
        (3 * hidden, size),
        (3 * hidden, hidden),
        (3 * hidden,),
        (3 * hidden,),
        (steps, samples, hidden),
        (samples, hidden),
    ]
    scales = [1, 1, 0.5, hidden**-0.5, 0.5, 0.5, 1, 1]
    arrays = [rng.normal(0, s, each) for each, s in zip(shapes, scales, strict=True)]
    return [array.astype(dtype) for array in arrays]


def some_lengths(shape, seed=0):
    steps, samples = shape[:2]
    lengths = np.random.default_rng(seed).integers(1, steps + 1, samples)
    lengths[-1] = steps
    return lengths


def run(arrays, **options):
    """Outputs and gradients of the op."""
    *given, dy, dh_n = arrays
    outputs, saved = gru.forward(*given, **options)
    return *outputs, *gru.backward(dy, dh_n, saved)


def expected(arrays, reset_after=True, lengths=None, reverse=False):
    """The reference's in float64."""
    x, h0, weight_ih, weight_hh, bias_ih, bias_hh, dy, dh_n = (
        array.astype(np.float64) for array in arrays
    )
    steps, samples, hidden = dy.shape
    ends = np.full(samples, steps) if lengths is None else lengths
    of_x, of_h = (np.split(bias, 3) for bias in (bias_ih, bias_hh))
    last = (of_x[2], of_h[2]) if reset_after else (of_x[2] + of_h[2], np.zeros(hidden))
    bias = np.concatenate([of_x[0] + of_h[0], of_x[1] + of_h[1], *last])
    options = {"lengths": ends, "reset_after": reset_after, "reverse": reverse}
    states = nan_poisoned((steps + 1, samples, hidden), np.float64)
    gates = nan_poisoned((steps, samples, 4 * hidden), np.float64)
    y = nan_poisoned(dy.shape, np.float64)
    weights = weight_ih, weight_hh, bias
    gru.reference.forward(x, h0, weights, **options, out_states=states, out_gates=gates, out_y=y)
    dx, dh0, *dweights = (nan_poisoned(array.shape, np.float64) for array in (x, h0, *weights))
    gru.reference.backward(
        dy, dh_n, x, states, gates, weights, ends, reset_after, reverse, dx, dh0, dweights
    )
    r, z, n, u = np.split(dweights.pop(), 4)
    dbiases = np.concatenate([r, z, n]), np.concatenate([r, z, u if reset_after else n])
    return y, states[0 if reverse else -1], dx, dh0, *dweights, *dbiases


def assert_all_close(actual, right, tolerance):
    for name, one, other in zip(RESULTS, actual, right, strict=True):
        try:
            assert_close(one, other, tolerance)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error


@pytest.fixture
def poisoned_memory(monkeypatch):
    """Every buffer of the op comes filled with NaN."""
    monkeypatch.setattr(_memory, "empty", nan_poisoned)


@pytest.mark.usefixtures("poisoned_memory")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("padded", [False, True], ids=["whole", "padded"])
@pytest.mark.parametrize("reset_after", [True, False], ids=["after", "before"])
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_i5_gru_op_computes_the_reference(dtype, tolerance, reset_after, padded, reverse, shape):
    arrays = inputs(shape, dtype)
    before = [array.copy() for array in arrays]
    lengths = some_lengths(shape) if padded else None
    options = {"reset_after": reset_after, "lengths": lengths, "reverse": reverse}
    assert_all_close(run(arrays, **options), expected(arrays, **options), tolerance)
    assert_same_bits(arrays, before)


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("reset_after", [True, False], ids=["after", "before"])
def test_i5_gru_reference_backward_against_central_differences(reset_after, reverse):
    shape = (4, 3, 2, 3)
    arrays = inputs(shape)
    *_, dy, dh_n = arrays
    options = {"reset_after": reset_after, "lengths": some_lengths(shape), "reverse": reverse}
    gradients = expected(arrays, **options)[2:]
    for index, gradient in enumerate(gradients):

        def loss(point, index=index):
            y, h_n, *_ = expected([*arrays[:index], point, *arrays[index + 1 :]], **options)
            return np.sum(dy * y) + np.sum(dh_n * h_n)

        assert_close(gradient, central_differences(loss, arrays[index]), 1e-8)


def test_i5_of_zero_weights_halves_the_state():
    x, h0 = np.zeros((3, 1, 2)), np.array([[8.0]])
    for reset_after in (True, False):
        (y, h_n), _ = gru.forward(
            x, h0, np.zeros((3, 2)), np.zeros((3, 1)), reset_after=reset_after
        )
        assert y.ravel().tolist() == [4, 2, 1] and h_n.tolist() == [[1]]


def test_i5_a_closed_update_gate_keeps_the_state_and_its_gradient():
    """z = 1 over 1000 steps."""
    arrays = inputs((1000, 2, 3, 4))
    arrays[4][4:8] = 1000
    arrays[6][...] = 0
    _, h_n, _, dh0, *_ = run(arrays)
    assert_same_bits(h_n, arrays[1])
    assert_same_bits(dh0, arrays[7])


@pytest.mark.parametrize("reset_after", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_i5_past_the_end_nothing_moves(reset_after, reverse):
    shape = (6, 5, 3, 17)
    arrays = inputs(shape, np.float32)
    lengths = np.array([1, 6, 3, 5, 2])
    y, h_n, dx, *_ = run(arrays, reset_after=reset_after, lengths=lengths, reverse=reverse)
    for sample, length in enumerate(lengths):
        assert not y[length:, sample].any() and not dx[length:, sample].any()
        last = y[0 if reverse else length - 1, sample]
        assert_same_bits(h_n[sample], last)


@pytest.mark.parametrize("reset_after", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_i5_gru_same_bits_whatever_the_padding(reset_after, reverse):
    """More steps, other values in them, and other lengths beside it change nothing of a sample."""
    shape = (9, 7, 20, 33)
    options = {"reset_after": reset_after, "reverse": reverse}
    arrays = inputs(shape, np.float32)
    x, dy = arrays[0], arrays[6]
    lengths = np.array([4, 5, 1, 2, 3, 5, 5])
    short = run([x[:5], *arrays[1:6], dy[:5], arrays[7]], lengths=lengths, **options)
    y, h_n, dx, *others = run(arrays, lengths=lengths, **options)
    assert_same_bits((y[:5], h_n, dx[:5], *others), short)
    mixed = run(arrays, lengths=np.where(np.arange(7) == 1, 5, 9), **options)
    for one, other in zip(short[:4], mixed[:4], strict=True):
        steps = (slice(0, 5),) * (one.ndim == 3)
        assert_same_bits(one[*steps, 1], other[*steps, 1])


def test_i5_what_is_past_the_end_is_ignored():
    arrays = inputs((5, 3, 4, 6), np.float32)
    lengths = np.array([2, 5, 4])
    right = run(arrays, lengths=lengths)
    past = np.arange(5)[:, None] >= lengths
    arrays[0][past], arrays[6][past] = np.nan, np.nan
    assert_same_bits(run(arrays, lengths=lengths), right)


def test_i5_reversed_is_forward_on_the_reversed_sequence():
    arrays = inputs((5, 3, 4, 6))
    right = run(arrays, reverse=True)
    arrays[0], arrays[6] = arrays[0][::-1], arrays[6][::-1]
    y, h_n, dx, *others = run(arrays)
    assert_all_close((y[::-1], h_n, dx[::-1], *others), right, 1e-14)


@pytest.mark.parametrize("reset_after", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("shape", [(5, 13, 20, 50), (7, 1, 9, 40)], ids=str)
def test_same_bits_on_1_2_and_3_threads(shape, reset_after):
    arrays = inputs(shape, np.float32)
    lengths = some_lengths(shape)
    assert_same_bits_on_threads(lambda: run(arrays, reset_after=reset_after, lengths=lengths))


@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 5), st.integers(0, 9), st.integers(1, 40), st.integers(1, 40)),
    reset_after=st.booleans(),
    reverse=st.booleans(),
)
def test_i5_gru_any_shape(shape, reset_after, reverse):
    arrays = inputs(shape, np.float32)
    options = {"reset_after": reset_after, "reverse": reverse}
    if shape[1]:
        options["lengths"] = some_lengths(shape)
    assert_all_close(run(arrays, **options), expected(arrays, **options), 4e-6)


def test_ten_thousand_steps():
    arrays = inputs((10_000, 2, 3, 5), np.float32)
    assert_all_close(run(arrays), expected(arrays), 2e-5)


def test_nothing_is_saved_for_inference():
    arrays = inputs((4, 3, 5, 6), np.float32)
    outputs, saved = gru.forward(*arrays[:6], save=False)
    assert saved is None
    assert_same_bits(outputs, gru.forward(*arrays[:6])[0])
    with pytest.raises(ValueError, match="gru: expected what forward saved, got None"):
        gru.backward(arrays[6], arrays[7], saved)


def test_only_what_is_needed_and_was_given_has_a_gradient():
    arrays = inputs((4, 3, 5, 6), np.float32)
    *given, dy, dh_n = arrays
    _, saved = gru.forward(*given)
    whole = gru.backward(dy, dh_n, saved)
    for index in range(6):
        for needs in (
            tuple(each == index for each in range(6)),
            tuple(each != index for each in range(6)),
        ):
            for need, one, other in zip(
                needs, gru.backward(dy, dh_n, saved, needs), whole, strict=True
            ):
                assert_same_bits(one, other if need else None)
    _, saved = gru.forward(*given[:4])
    assert [gradient is None for gradient in gru.backward(dy, dh_n, saved)] == [False] * 4 + [
        True
    ] * 2


def test_gradients_that_are_none_count_as_zeros():
    arrays = inputs((4, 3, 5, 6), np.float32)
    *given, dy, dh_n = arrays
    _, saved = gru.forward(*given)
    zeros = np.zeros_like(dy), np.zeros_like(dh_n)
    assert_same_bits(gru.backward(None, dh_n, saved), gru.backward(zeros[0], dh_n, saved))
    assert_same_bits(gru.backward(dy, None, saved), gru.backward(dy, zeros[1], saved))


def test_the_gradient_can_be_asked_for_twice():
    arrays = inputs((4, 3, 5, 6), np.float32)
    _, saved = gru.forward(*arrays[:6])
    assert_same_bits(
        gru.backward(arrays[6], arrays[7], saved), gru.backward(arrays[6], arrays[7], saved)
    )


def test_nan_in_is_nan_out_for_that_sample():
    arrays = inputs((4, 3, 5, 6), np.float32)
    arrays[0][2, 1, 0] = np.nan
    y, h_n, dx, dh0, *_ = run(arrays)
    assert np.isnan(y[2:, 1]).all() and np.isnan(h_n[1]).all() and np.isnan(dh0[1]).all()
    for clean in (y[:2], h_n[[0, 2]], dx[:, [0, 2]], dh0[[0, 2]]):
        assert np.isfinite(clean).all()


def test_non_contiguous_and_read_only_inputs():
    arrays = inputs((4, 3, 5, 6), np.float32)
    right = run(arrays)
    for changed in (non_contiguous, read_only, np.asfortranarray):
        assert_same_bits(run([changed(array) for array in arrays]), right)


def test_no_samples():
    arrays = inputs((4, 0, 5, 6), np.float32)
    y, h_n, dx, dh0, *rest = run(arrays)
    assert y.shape == (4, 0, 6) and h_n.shape == (0, 6)
    assert dx.shape == (4, 0, 5) and dh0.shape == (0, 6)
    assert not any(gradient.any() for gradient in rest)


WRONG_SHAPES = [
    (0, (3, 5), r"x of shape \(T, N, I\) with at least one step and one input, got \(3, 5\)"),
    (0, (0, 3, 5), r"x of shape .* got \(0, 3, 5\)"),
    (0, (4, 3, 0), r"x of shape .* got \(4, 3, 0\)"),
    (1, (2, 6), r"h0 of shape \(3, 6\), got \(2, 6\)"),
    (1, (6,), r"h0 of shape \(3, 6\), got \(6,\)"),
    (2, (18, 6), r"weight_ih of shape \(18, 5\), got \(18, 6\)"),
    (2, (17, 5), r"weight_ih of shape \(3 H, 5\), got \(17, 5\)"),
    (3, (18, 5), r"weight_hh of shape \(18, 6\), got \(18, 5\)"),
    (4, (6,), r"bias_ih of shape \(18,\), got \(6,\)"),
    (5, (24,), r"bias_hh of shape \(18,\), got \(24,\)"),
]


@pytest.mark.parametrize(("index", "shape", "message"), WRONG_SHAPES)
def test_wrong_shapes_are_named(index, shape, message):
    given = inputs((4, 3, 5, 6))[:6]
    given[index] = np.zeros(shape)
    with pytest.raises(ValueError, match=f"gru: expected {message}"):
        gru.forward(*given)


def test_wrong_dtypes_are_named():
    given = inputs((4, 3, 5, 6))[:6]
    with pytest.raises(TypeError, match="gru: expected x of float32 or float64, got int64"):
        gru.forward(np.zeros((4, 3, 5), np.int64), *given[1:])
    with pytest.raises(TypeError, match="gru: expected h0 of float64 like the rest, got float32"):
        gru.forward(given[0], given[1].astype(np.float32), *given[2:])


@pytest.mark.parametrize(
    ("lengths", "error", "message"),
    [
        ([1, 2, 3], TypeError, "lengths to be an array of int64, got list"),
        (np.ones(3), TypeError, "lengths to be an array of int64, got float64"),
        (np.ones(4, np.int64), ValueError, r"lengths of shape \(3,\), got \(4,\)"),
        (np.array([4, 0, 1]), ValueError, "lengths from 1 to 4, got 0 of sample 1"),
        (np.array([4, 1, 5]), ValueError, "lengths from 1 to 4, got 5 of sample 2"),
    ],
)
def test_wrong_lengths_are_named(lengths, error, message):
    with pytest.raises(error, match=f"gru: expected {message}"):
        gru.forward(*inputs((4, 3, 5, 6))[:6], lengths=lengths)


def test_wrong_gradients_are_named():
    *given, dy, dh_n = inputs((4, 3, 5, 6))
    _, saved = gru.forward(*given)
    with pytest.raises(ValueError, match=r"gru: expected dy of shape \(4, 3, 6\), got \(3, 6\)"):
        gru.backward(dh_n, dh_n, saved)
    with pytest.raises(ValueError, match=r"gru: expected dh_n of shape \(3, 6\), got \(4, 3, 6\)"):
        gru.backward(dy, dy, saved)
    with pytest.raises(TypeError, match="gru: expected dy of float64 like x, got float32"):
        gru.backward(dy.astype(np.float32), dh_n, saved)
