from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from kernels import rnn
from kernels.rnn import reference
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    central_differences,
    non_contiguous,
    read_only,
)
from tests.kernels.guards import poisoned_memory

GRADIENTS = "x h0 weight_ih weight_hh bias_ih bias_hh".split()
DTYPES = [(np.float32, 1e-5), (np.float64, 1e-12)]
SHAPES = [
    (1, 1, 1, 1),
    (5, 1, 3, 17),
    (4, 2, 1, 16),
    (3, 3, 19, 33),
    (6, 7, 5, 1),
    (7, 13, 16, 48),
    (3, 600, 3, 5),
]
EVERY = pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])


class Problem(NamedTuple):
    """What goes into forward, by name, and the gradients that come back to its outputs."""

    arrays: dict
    options: dict
    dy: np.ndarray
    dh_n: np.ndarray


def problem(shape, nonlinearity="tanh", lengths=None, reverse=False, bias=True, dtype=np.float32):
    steps, samples, inputs, hidden = shape
    rng = np.random.default_rng(sum(shape))

    def normal(*shape, scale=1.0):
        return rng.normal(0, scale, shape).astype(dtype)

    arrays = {
        "x": normal(steps, samples, inputs),
        "h0": normal(samples, hidden),
        "weight_ih": normal(hidden, inputs, scale=inputs**-0.5),
        "weight_hh": normal(hidden, hidden, scale=0.4 * hidden**-0.5),
        "bias_ih": normal(hidden, scale=0.5) if bias else None,
        "bias_hh": normal(hidden, scale=0.5) if bias else None,
    }
    options = {
        "nonlinearity": nonlinearity,
        "lengths": None if lengths is None else np.array(lengths),
        "reverse": reverse,
    }
    return Problem(arrays, options, normal(steps, samples, hidden), normal(samples, hidden))


def run(given):
    """The outputs, then the gradients, by the op."""
    outputs, saved = rnn.forward(**given.arrays, **given.options)
    return list(outputs), list(rnn.backward(given.dy, given.dh_n, saved))


def by_reference(given):
    """The same in float64, by the text that is written to be read."""
    arrays = {k: None if a is None else a.astype(np.float64) for k, a in given.arrays.items()}
    steps, samples, hidden = given.dy.shape
    bias = sum(np.zeros(hidden) if arrays[b] is None else arrays[b] for b in GRADIENTS[4:])
    lengths = given.options["lengths"]
    common = {
        "x": arrays["x"],
        "weights": (arrays["weight_ih"], arrays["weight_hh"], bias),
        "lengths": np.full(samples, steps) if lengths is None else lengths,
        "relu": given.options["nonlinearity"] == "relu",
        "reverse": given.options["reverse"],
    }
    states, y = np.full((steps + 1, samples, hidden), np.nan), np.full(given.dy.shape, np.nan)
    reference.forward(**common, h0=arrays["h0"], out_states=states, out_y=y)
    dx, dh0, *dweights = (np.full_like(arrays[name], np.nan) for name in GRADIENTS[:4])
    dbias = np.full(hidden, np.nan)
    dy, dh_n = (a.astype(np.float64) for a in (given.dy, given.dh_n))
    out = {"out_dx": dx, "out_dh0": dh0, "out_dweights": (*dweights, dbias)}
    reference.backward(**common, dy=dy, dh_n=dh_n, states=states, **out)
    dbiases = [None if arrays[b] is None else dbias for b in GRADIENTS[4:]]
    return [y, states[0 if common["reverse"] else -1]], [dx, dh0, *dweights, *dbiases]


def assert_all_close(actual, expected, tolerance):
    for one, other in zip(actual, expected, strict=True):
        if other is None:
            assert one is None
        else:
            assert_close(one, other, tolerance)


@EVERY
@pytest.mark.parametrize("lengths", [None, (4, 1, 3)])
@pytest.mark.parametrize("reverse", [False, True])
def test_i1_rnn_reference_backward_against_central_differences(nonlinearity, lengths, reverse):
    given = problem((4, 3, 3, 6), nonlinearity, lengths, reverse, dtype=np.float64)
    for name, gradient in zip(GRADIENTS, by_reference(given)[1], strict=True):

        def loss(point, name=name):
            y, h_n = by_reference(given._replace(arrays=given.arrays | {name: point}))[0]
            return np.sum(given.dy * y) + np.sum(given.dh_n * h_n)

        assert_close(gradient, central_differences(loss, given.arrays[name]), 1e-8)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@EVERY
def test_i1_rnn_op_against_reference(
    monkeypatch, nonlinearity, dtype, tolerance, bias, padded, reverse, shape
):
    """Outputs and scratch are NaN beforehand, and what lies beside them is not touched."""
    lengths = 1 + np.arange(shape[1]) * 5 % shape[0] if padded else None
    given = problem(shape, nonlinearity, lengths, reverse, bias, dtype)
    before = {name: array.copy() for name, array in given.arrays.items() if array is not None}
    with poisoned_memory(monkeypatch):
        outputs, gradients = run(given)
    right_outputs, right_gradients = by_reference(given)
    assert all(array.dtype == dtype for array in outputs)
    assert_all_close(outputs, right_outputs, tolerance)
    assert_all_close(gradients, right_gradients, tolerance)
    assert_same_bits([given.arrays[name] for name in before], list(before.values()))


@settings(max_examples=30)
@drawn(
    shape=st.tuples(*[st.integers(1, top) for top in (6, 9, 20, 40)]),
    reverse=st.booleans(),
    data=st.data(),
)
def test_any_shape(shape, reverse, data):
    steps, samples, *_ = shape
    lengths = data.draw(
        st.none() | st.lists(st.integers(1, steps), min_size=samples, max_size=samples)
    )
    given = problem(shape, lengths=lengths, reverse=reverse)
    for actual, expected in zip(run(given), by_reference(given), strict=True):
        assert_all_close(actual, expected, 1e-5)


@pytest.mark.parametrize("shape", [(40, 7, 20, 33), (30, 64, 16, 128), (90, 1, 40, 64)])
@EVERY
def test_same_bits_on_1_2_and_3_threads(shape, nonlinearity):
    assert_same_bits_on_threads(lambda: run(problem(shape, nonlinearity)))
    lengths = 1 + np.arange(shape[1]) * 11 % shape[0]
    assert_same_bits_on_threads(lambda: run(problem(shape, nonlinearity, lengths, True)))


@pytest.mark.parametrize("reverse", [False, True])
def test_same_bits_whatever_the_padding(reverse):
    """Two samples alone, in a batch of five, and with enough steps of NaN for another group."""
    five = problem((23, 5, 6, 20), lengths=[23, 9, 14, 1, 23], reverse=reverse)

    def of_samples(chosen, more):
        padding = [(0, more), (0, 0), (0, 0)]
        arrays = dict(five.arrays, h0=five.arrays["h0"][chosen])
        arrays["x"] = np.pad(five.arrays["x"][:, chosen], padding, constant_values=np.nan)
        dy = np.pad(five.dy[:, chosen], padding, constant_values=np.nan)
        options = five.options | {"lengths": five.options["lengths"][chosen]}
        return Problem(arrays, options, dy, five.dh_n[chosen])

    (y, h_n), (dx, dh0, *gradients) = run(of_samples([1, 2], 0))
    (y_5, h_5), (dx_5, dh_5, *_) = run(five)
    assert_same_bits([y, h_n, dx, dh0], [a[..., [1, 2], :] for a in (y_5, h_5, dx_5, dh_5)])
    (y_long, h_long), (dx_long, *others) = run(of_samples([1, 2], 10_000))
    assert not y_long[14:].any() and not dx_long[14:].any()
    assert_same_bits([y_long[:23], h_long, dx_long[:23], *others], [y, h_n, dx, dh0, *gradients])


@pytest.mark.parametrize("reverse", [False, True])
def test_what_is_past_the_end_is_ignored(reverse):
    """NaN right behind an end, where its gates have gradients of 0, must not reach the weights."""
    given = problem((5, 3, 4, 6), lengths=[2, 5, 4], reverse=reverse)
    right = run(given)
    past = np.arange(5)[:, None] >= [2, 5, 4]
    given.arrays["x"][past], given.dy[past] = np.nan, np.nan
    assert_same_bits(run(given), right)


def test_full_lengths_are_no_lengths():
    shape = (6, 3, 4, 20)
    assert_same_bits(run(problem(shape, lengths=[6] * 3)), run(problem(shape)))


def test_reverse_runs_from_each_samples_end():
    lengths = [5, 2, 4]
    given = problem((5, 3, 4, 18), lengths=lengths, reverse=True)
    y, h_n = run(given)[0]
    for n, length in enumerate(lengths):
        alone = {"x": given.arrays["x"][:length, n : n + 1][::-1].copy()}
        alone["h0"] = given.arrays["h0"][n : n + 1]
        (y_alone, h_alone), _ = rnn.forward(**given.arrays | alone)
        assert_close(y[:length, n], y_alone[::-1, 0], 1e-6)
        assert_close(h_n[n], h_alone[0], 1e-6)


def test_inference_saves_nothing_and_gives_the_same_bits():
    given = problem((6, 5, 4, 20), lengths=[6, 2, 3, 6, 1])
    outputs, saved = rnn.forward(**given.arrays, **given.options, save=False)
    assert saved is None
    assert_same_bits(list(outputs), run(given)[0])


def test_only_what_is_needed_comes_back_and_what_is_missing_is_zero():
    given = problem((6, 5, 4, 20))
    _, saved = rnn.forward(**given.arrays)
    everything = rnn.backward(given.dy, given.dh_n, saved)
    for chosen in ({0}, {1}, {2}, {3, 4}, {5}, set()):
        needs = tuple(i in chosen for i in range(6))
        some = rnn.backward(given.dy, given.dh_n, saved, needs)
        for needed, one, other in zip(needs, some, everything, strict=True):
            assert_same_bits(one, other if needed else None)
    zeros = np.zeros_like(given.dy), np.zeros_like(given.dh_n)
    assert_same_bits(rnn.backward(given.dy, None, saved), rnn.backward(given.dy, zeros[1], saved))
    assert_same_bits(
        rnn.backward(None, given.dh_n, saved), rnn.backward(*zeros[:1], given.dh_n, saved)
    )
    assert not np.shares_memory(everything[4], everything[5])


@EVERY
def test_nan_comes_out(nonlinearity):
    given = problem((6, 4, 3, 18), nonlinearity)
    given.arrays["x"][2, 1, 0] = np.nan
    (y, h_n), _ = run(given)
    assert np.isnan(y[2:, 1]).all() and np.isnan(h_n[1]).all()
    assert np.isfinite(y[:2]).all() and np.isfinite(np.delete(y, 1, axis=1)).all()


def test_i1_ten_thousand_steps():
    """More than one group of blocks."""
    given = problem((10_000, 3, 3, 17))
    for actual, expected in zip(run(given), by_reference(given), strict=True):
        assert_all_close(actual, expected, 1e-5)


def test_non_contiguous_and_read_only_inputs():
    given = problem((5, 3, 4, 18), lengths=[5, 1, 3])
    for changed in (non_contiguous, read_only, np.asfortranarray):
        arrays = {k: changed(a) for k, a in given.arrays.items()}
        options = given.options | {"lengths": changed(given.options["lengths"])}
        other = Problem(arrays, options, changed(given.dy), changed(given.dh_n))
        assert_same_bits(run(other), run(given))


def test_empty_batch():
    given = problem((5, 0, 4, 18))
    outputs, gradients = run(given)
    assert [a.shape for a in outputs] == [(5, 0, 18), (0, 18)]
    for name, gradient in zip(GRADIENTS, gradients, strict=True):
        assert gradient.shape == given.arrays[name].shape and not gradient.any()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x": (5, 3)}, r"expected x of shape \(T, N, I\) with .*, got \(5, 3\)"),
        ({"x": (0, 3, 4)}, r"expected x of shape .*, got \(0, 3, 4\)"),
        ({"h0": (3, 5)}, r"expected h0 of shape \(3, 6\), got \(3, 5\)"),
        ({"weight_ih": (6, 5)}, r"expected weight_ih of shape \(6, 4\), got \(6, 5\)"),
        ({"weight_ih": (0, 4)}, r"expected weight_ih of shape \(1 H, 4\), got \(0, 4\)"),
        ({"weight_hh": (6, 7)}, r"expected weight_hh of shape \(6, 6\), got \(6, 7\)"),
        ({"bias_ih": (1,)}, r"expected bias_ih of shape \(6,\), got \(1,\)"),
        ({"bias_hh": (6, 1)}, r"expected bias_hh of shape \(6,\), got \(6, 1\)"),
    ],
)
def test_wrong_shapes_are_named(changed, message):
    given = problem((5, 3, 4, 6))
    arrays = {name: np.zeros(shape, np.float32) for name, shape in changed.items()}
    with pytest.raises(ValueError, match=f"rnn: {message}"):
        rnn.forward(**given.arrays | arrays)


@pytest.mark.parametrize(
    ("lengths", "error", "message"),
    [
        ([5, 0, 3], ValueError, "expected lengths from 1 to 5, got 0 of sample 1"),
        ([5, 1, 6], ValueError, "expected lengths from 1 to 5, got 6 of sample 2"),
        ([5, 1], ValueError, r"expected lengths of shape \(3,\), got \(2,\)"),
        ([5.0, 1.0, 2.0], TypeError, "expected lengths to be an array of int64, got float64"),
    ],
)
def test_wrong_lengths_are_named(lengths, error, message):
    with pytest.raises(error, match=f"rnn: {message}"):
        run(problem((5, 3, 4, 6), lengths=lengths))


def test_wrong_options_dtypes_and_gradients_are_named():
    given = problem((5, 3, 4, 6))
    with pytest.raises(ValueError, match="expected a nonlinearity tanh or relu, got 'gelu'"):
        rnn.forward(**given.arrays, nonlinearity="gelu")
    with pytest.raises(TypeError, match="rnn: expected h0 of float32 like the rest, got float64"):
        rnn.forward(**given.arrays | {"h0": np.zeros((3, 6))})
    _, saved = rnn.forward(**given.arrays)
    with pytest.raises(ValueError, match=r"expected dy of shape \(5, 3, 6\), got \(3, 6\)"):
        rnn.backward(given.dh_n, None, saved)
    with pytest.raises(TypeError, match="expected dh_n of float32 like x, got float64"):
        rnn.backward(None, given.dh_n.astype(np.float64), saved)
    with pytest.raises(ValueError, match="expected what forward saved, got None"):
        rnn.backward(None, None, None)
