from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import lstm
from kernels._recurrent import scratch
from kernels.lstm import reference
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    central_differences,
    non_contiguous,
    read_only,
)
from tests.kernels.guards import poisoned_memory

GRADIENTS = (
    "x h0 c0 weight_ih weight_hh bias_ih bias_hh weight_hr peephole".split()  # backward's order
)
DTYPES = [(np.float32, 1e-5), (np.float64, 1e-12)]


class Problem(NamedTuple):
    """What goes into forward, by name, and the gradients that come back to its three outputs."""

    arrays: dict
    options: dict
    dy: np.ndarray
    dh_n: np.ndarray
    dc_n: np.ndarray


def problem(
    steps,
    samples,
    inputs,
    hidden,
    projected=0,
    peephole=False,
    lengths=None,
    reverse=False,
    bias=True,
    dtype=np.float32,
):
    rng = np.random.default_rng(steps + samples + inputs + hidden)

    def normal(*shape, scale=1.0):
        return rng.normal(0, scale, shape).astype(dtype)

    width, spread = projected or hidden, hidden**-0.5
    arrays = {
        "x": normal(steps, samples, inputs),
        "h0": normal(samples, width),
        "c0": normal(samples, hidden),
        "weight_ih": normal(4 * hidden, inputs, scale=inputs**-0.5),
        "weight_hh": normal(4 * hidden, width, scale=spread),
        "bias_ih": normal(4 * hidden, scale=0.5) if bias else None,
        "bias_hh": normal(4 * hidden, scale=0.5) if bias else None,
        "weight_hr": normal(projected, hidden, scale=spread) if projected else None,
        "peephole": normal(3, hidden, scale=0.5) if peephole else None,
    }
    options = {"lengths": None if lengths is None else np.array(lengths), "reverse": reverse}
    outputs = normal(steps, samples, width), normal(samples, width), normal(samples, hidden)
    return Problem(arrays, options, *outputs)


def run(given):
    """The outputs, then the gradients, by the op."""
    outputs, saved = lstm.forward(**given.arrays, **given.options)
    return list(outputs), list(lstm.backward(given.dy, given.dh_n, given.dc_n, saved))


def by_reference(given):
    """The same in float64, by the text that is written to be read."""
    arrays = {k: None if a is None else a.astype(np.float64) for k, a in given.arrays.items()}
    dy, dh_n, dc_n = (a.astype(np.float64) for a in given[2:])
    steps, samples, hidden = len(dy), *dc_n.shape
    lengths = _or(given.options["lengths"], np.full(samples, steps))
    reverse = given.options["reverse"]
    runs = np.arange(steps)[:, None, None] < lengths[:, None]
    x, none = np.where(runs, arrays["x"], 0), np.zeros((0, hidden))
    weights = (
        arrays["weight_ih"],
        arrays["weight_hh"],
        sum(_or(arrays[name], np.zeros(4 * hidden)) for name in ("bias_ih", "bias_hh")),
        _or(arrays["weight_hr"], none),
        _or(arrays["peephole"], none),
    )
    inputs = {"x": x, "weights": weights, "lengths": lengths, "reverse": reverse}
    states, cells, gates, y = (
        np.full(shape, np.nan)
        for shape in (
            (steps + 1, *dh_n.shape),
            (steps + 1, *dc_n.shape),
            (steps, samples, 4 * hidden),
            dy.shape,
        )
    )
    reference.forward(
        **inputs,
        h0=arrays["h0"],
        c0=arrays["c0"],
        out_states=states,
        out_cells=cells,
        out_gates=gates,
        out_y=y,
    )
    dx, dh0, dc0, *dweights = (
        np.full_like(array, np.nan) for array in (x, arrays["h0"], arrays["c0"], *weights)
    )
    reference.backward(
        dy=dy,
        dh_n=dh_n,
        dc_n=dc_n,
        **inputs,
        states=states,
        cells=cells,
        gates=gates,
        out_dx=dx,
        out_dh0=dh0,
        out_dc0=dc0,
        out_dweights=dweights,
    )
    dih, dhh, dbias, dhr, dpeephole = dweights
    gradients = dx, dh0, dc0, dih, dhh, dbias, dbias, dhr, dpeephole
    found = [
        None if arrays[name] is None else gradient
        for name, gradient in zip(GRADIENTS, gradients, strict=True)
    ]
    last = 0 if reverse else -1
    return [y, states[last], cells[last]], found


def _or(array, instead):
    return instead if array is None else array


def assert_all_close(actual, expected, tolerance):
    for one, other in zip(actual, expected, strict=True):
        if other is None:
            assert one is None
        else:
            assert_close(one, other, tolerance)


VARIANTS = {
    "plain": {},
    "no bias": {"bias": False},
    "peephole": {"peephole": True},
    "projection": {"projected": 5},
    "projection, peephole": {"projected": 19, "peephole": True},
}
EVERY = pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)


@EVERY
@pytest.mark.parametrize("lengths", [None, (4, 1, 3)])
@pytest.mark.parametrize("reverse", [False, True])
def test_i3_i4_lstm_reference_backward_against_central_differences(variant, lengths, reverse):
    given = problem(4, 3, 3, 6, lengths=lengths, reverse=reverse, dtype=np.float64, **variant)
    _, gradients = by_reference(given)
    for name, gradient in zip(GRADIENTS, gradients, strict=True):
        if gradient is None:
            continue

        def loss(point, name=name):
            y, h_n, c_n = by_reference(given._replace(arrays=given.arrays | {name: point}))[0]
            return np.sum(given.dy * y) + np.sum(given.dh_n * h_n) + np.sum(given.dc_n * c_n)

        assert_close(gradient, central_differences(loss, given.arrays[name]), 1e-8)


@pytest.mark.parametrize(
    ("steps", "samples", "inputs", "hidden"),
    [
        (1, 1, 1, 1),
        (5, 1, 3, 17),
        (4, 2, 1, 16),
        (3, 3, 19, 33),
        (6, 7, 5, 1),
        (7, 13, 16, 48),
        (3, 67, 33, 65),
    ],
)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@EVERY
def test_i3_i4_lstm_op_against_reference(
    monkeypatch, variant, dtype, tolerance, padded, reverse, steps, samples, inputs, hidden
):
    """Outputs and scratch are NaN beforehand, and what lies beside them is not touched."""
    lengths = 1 + np.arange(samples) * 5 % steps if padded else None
    given = problem(
        steps, samples, inputs, hidden, lengths=lengths, reverse=reverse, dtype=dtype, **variant
    )
    before = {name: array.copy() for name, array in given.arrays.items() if array is not None}
    with poisoned_memory(monkeypatch):
        outputs, gradients = run(given)
    right_outputs, right_gradients = by_reference(given)
    assert all(array.dtype == dtype for array in outputs)
    assert_all_close(outputs, right_outputs, tolerance)
    assert_all_close(gradients, right_gradients, tolerance)
    assert_same_bits([given.arrays[name] for name in before], list(before.values()))


@settings(max_examples=30)
@given(
    shape=st.tuples(*[st.integers(1, top) for top in (6, 9, 20, 40)]),
    variant=st.sampled_from(list(VARIANTS.values())),
    reverse=st.booleans(),
    data=st.data(),
)
def test_any_shape(shape, variant, reverse, data):
    steps, samples, *_ = shape
    lengths = data.draw(
        st.none() | st.lists(st.integers(1, steps), min_size=samples, max_size=samples)
    )
    given = problem(*shape, lengths=lengths, reverse=reverse, **variant)
    for actual, expected in zip(run(given), by_reference(given), strict=True):
        assert_all_close(actual, expected, 1e-5)


def test_i3_an_open_forget_gate_keeps_the_cell_and_its_gradient():
    """f = 1 and i = 0 over 1000 steps."""
    hidden = 24
    bias = np.repeat(np.float32([-200, 200, 0, 0]), hidden)
    given = problem(1000, 2, 3, hidden)
    arrays = given.arrays | {
        "weight_ih": np.zeros((4 * hidden, 3), np.float32),
        "weight_hh": np.zeros((4 * hidden, hidden), np.float32),
        "bias_ih": bias,
        "bias_hh": np.zeros_like(bias),
    }
    (_, _, c_n), saved = lstm.forward(**arrays)
    assert_same_bits(c_n, arrays["c0"])
    dc0 = lstm.backward(None, None, given.dc_n, saved)[2]
    assert_same_bits(dc0, given.dc_n)


def test_i4_a_closed_output_gate_still_sees_the_cell():
    """o = 0, so h is 0 and only a peephole can tell the gates what the cell holds."""
    given = problem(6, 3, 4, 20, peephole=True)
    bias = np.repeat(np.float32([0, 0, 0, -200]), 20)
    arrays = given.arrays | {"bias_ih": bias, "h0": np.zeros((3, 20), np.float32)}
    arrays["peephole"] = np.abs(arrays["peephole"]) * np.float32([[1], [1], [0]])
    (y, _, _), saved = lstm.forward(**arrays)
    assert not y.any()
    shifted, _ = lstm.forward(**arrays | {"c0": arrays["c0"] + 1})
    plain, _ = lstm.forward(**arrays | {"c0": arrays["c0"] + 1, "peephole": None})
    assert np.abs(shifted[2] - plain[2]).max() > 1e-2
    dpeephole = lstm.backward(None, None, given.dc_n, saved)[8]
    assert np.abs(dpeephole[:2]).max() > 1e-2 and not dpeephole[2].any()


LARGE = [(40, 7, 20, 33), (30, 64, 16, 128), (90, 1, 40, 64)]


@EVERY
@pytest.mark.parametrize("shape", LARGE)
def test_same_bits_on_1_2_and_3_threads(monkeypatch, shape, variant):
    """3 shares of the samples also where there are but 2 threads."""
    lengths = 1 + np.arange(shape[1]) * 11 % shape[0]
    for options in ({}, {"lengths": lengths, "reverse": True}):
        given = problem(*shape, **options, **variant)
        assert_same_bits_on_threads(lambda given=given: run(given))
        one = run(given)
        with monkeypatch.context() as patch:
            patch.setattr(scratch, "shares_of", lambda samples: min(3, samples))
            assert_same_bits(run(given), one)


@pytest.mark.parametrize("reverse", [False, True])
@EVERY
def test_same_bits_whatever_the_padding(variant, reverse):
    """Two samples alone, in a batch of five, and with ten steps of NaN behind."""
    five = problem(23, 5, 6, 20, lengths=[23, 9, 14, 1, 23], reverse=reverse, **variant)

    def of_samples(chosen, more):
        padding = [(0, more), (0, 0), (0, 0)]
        arrays = dict(five.arrays)
        arrays["x"] = np.pad(arrays["x"][:, chosen], padding, constant_values=np.nan)
        for name in ("h0", "c0"):
            arrays[name] = arrays[name][chosen]
        dy = np.pad(five.dy[:, chosen], padding, constant_values=np.nan)
        options = five.options | {"lengths": five.options["lengths"][chosen]}
        return Problem(arrays, options, dy, five.dh_n[chosen], five.dc_n[chosen])

    (y, *states), (dx, *gradients) = run(of_samples([1, 2], 0))
    (y_5, h_5, c_5), (dx_5, dh_5, dc_5, *_) = run(five)
    assert_same_bits(
        [y, *states, dx, *gradients[:2]],
        [a[..., [1, 2], :] for a in (y_5, h_5, c_5, dx_5, dh_5, dc_5)],
    )
    (y_long, *states_long), (dx_long, *gradients_long) = run(of_samples([1, 2], 10))
    assert not y_long[14:].any() and not dx_long[14:].any()
    assert_same_bits(
        [y_long[:23], *states_long, dx_long[:23], *gradients_long], [y, *states, dx, *gradients]
    )


@pytest.mark.parametrize("reverse", [False, True])
def test_what_is_past_the_end_is_ignored(reverse):
    """NaN right behind an end, where its gates have gradients of 0, must not reach the weights."""
    given = problem(5, 3, 4, 6, lengths=[2, 5, 4], reverse=reverse)
    right = run(given)
    past = np.arange(5)[:, None] >= [2, 5, 4]
    given.arrays["x"][past], given.dy[past] = np.nan, np.nan
    assert_same_bits(run(given), right)


@EVERY
def test_full_lengths_are_no_lengths(variant):
    assert_same_bits(
        run(problem(6, 3, 4, 20, lengths=[6] * 3, **variant)), run(problem(6, 3, 4, 20, **variant))
    )


@EVERY
def test_reverse_runs_from_each_samples_end(variant):
    lengths = [5, 2, 4]
    given = problem(5, 3, 4, 18, lengths=lengths, reverse=True, **variant)
    (y, h_n, c_n), _ = run(given)
    for n, length in enumerate(lengths):
        alone = {"x": given.arrays["x"][:length, n : n + 1][::-1]}
        alone |= {name: given.arrays[name][n : n + 1] for name in ("h0", "c0")}
        (y_alone, h_alone, c_alone), _ = lstm.forward(**given.arrays | alone)
        assert_close(y[:length, n], y_alone[::-1, 0], 1e-6)
        assert_close(h_n[n], h_alone[0], 1e-6)
        assert_close(c_n[n], c_alone[0], 1e-6)


@EVERY
def test_inference_saves_nothing_and_gives_the_same_bits(variant):
    given = problem(6, 5, 4, 20, lengths=[6, 2, 3, 6, 1], **variant)
    outputs, saved = lstm.forward(**given.arrays, **given.options, save=False)
    assert saved is None
    assert_same_bits(list(outputs), run(given)[0])


@EVERY
def test_only_what_is_needed_comes_back(variant):
    given = problem(6, 5, 4, 20, **variant)
    _, saved = lstm.forward(**given.arrays)
    everything = lstm.backward(given.dy, given.dh_n, given.dc_n, saved)
    for chosen in ({0}, {1, 2}, {3, 4, 5, 6}, {7}, {8}, set()):
        needs = tuple(i in chosen for i in range(9))
        some = lstm.backward(given.dy, given.dh_n, given.dc_n, saved, needs)
        for needed, one, other in zip(needs, some, everything, strict=True):
            assert_same_bits(one, other if needed else None)


def test_a_missing_gradient_is_zero():
    given = problem(5, 3, 4, 18)
    _, saved = lstm.forward(**given.arrays)
    incoming = given[2:]
    for present in ((1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0)):
        zeros = [a * p for a, p in zip(incoming, present, strict=True)]
        nones = [a if p else None for a, p in zip(incoming, present, strict=True)]
        assert_same_bits(lstm.backward(*nones, saved)[:5], lstm.backward(*zeros, saved)[:5])


def test_backward_may_run_twice_and_gradients_of_biases_are_apart():
    given = problem(5, 3, 4, 18)
    _, saved = lstm.forward(**given.arrays)
    first = lstm.backward(*given[2:], saved)
    assert_same_bits(first, lstm.backward(*given[2:], saved))
    assert not np.shares_memory(first[5], first[6])


def test_nan_comes_out():
    given = problem(6, 4, 3, 18)
    given.arrays["x"][2, 1, 0] = np.nan
    (y, h_n, c_n), _ = run(given)
    assert np.isnan(y[2:, 1]).all() and np.isnan(h_n[1]).all() and np.isnan(c_n[1]).all()
    assert np.isfinite(y[:2]).all() and np.isfinite(np.delete(y, 1, axis=1)).all()


def test_i3_ten_thousand_steps():
    given = problem(10_000, 2, 3, 17)
    outputs, gradients = run(given)
    right_outputs, right_gradients = by_reference(given)
    assert_all_close(outputs, right_outputs, 1e-5)
    assert_all_close(gradients, right_gradients, 1e-5)


@EVERY
def test_non_contiguous_and_read_only_inputs(variant):
    given = problem(5, 3, 4, 18, lengths=[5, 1, 3], **variant)
    for changed in (non_contiguous, read_only, np.asfortranarray):
        arrays = {k: None if a is None else changed(a) for k, a in given.arrays.items()}
        options = given.options | {"lengths": changed(given.options["lengths"])}
        other = Problem(arrays, options, *(changed(a) for a in given[2:]))
        assert_same_bits(run(other), run(given))


@EVERY
def test_empty_batch(variant):
    outputs, gradients = run(problem(5, 0, 4, 18, **variant))
    assert [a.size for a in outputs] == [0, 0, 0]
    given = problem(5, 0, 4, 18, **variant)
    for name, gradient in zip(GRADIENTS, gradients, strict=True):
        if given.arrays[name] is None:
            assert gradient is None
        else:
            assert gradient.shape == given.arrays[name].shape and not gradient.any()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x": (5, 3)}, r"expected x of shape \(T, N, I\) with .*, got \(5, 3\)"),
        ({"x": (0, 3, 4)}, r"expected x of shape .*, got \(0, 3, 4\)"),
        ({"h0": (3, 5)}, r"expected h0 of shape \(3, 6\), got \(3, 5\)"),
        ({"c0": (2, 6)}, r"expected c0 of shape \(3, 6\), got \(2, 6\)"),
        ({"weight_ih": (24, 5)}, r"expected weight_ih of shape \(24, 4\), got \(24, 5\)"),
        ({"weight_ih": (25, 4)}, r"expected weight_ih of shape \(4 H, 4\), got \(25, 4\)"),
        ({"weight_hh": (24, 7)}, r"expected weight_hh of shape \(24, 6\), got \(24, 7\)"),
        ({"bias_ih": (6,)}, r"expected bias_ih of shape \(24,\), got \(6,\)"),
        ({"bias_hh": (24, 1)}, r"expected bias_hh of shape \(24,\), got \(24, 1\)"),
        ({"weight_hr": (5, 6)}, r"expected h0 of shape \(3, 5\), got \(3, 6\)"),
        ({"weight_hr": (6, 7)}, r"expected weight_hr of shape \(6, 6\), got \(6, 7\)"),
        ({"weight_hr": (6,)}, r"expected weight_hr of shape \(P, 6\), got \(6,\)"),
        ({"peephole": (2, 6)}, r"expected peephole of shape \(3, 6\), got \(2, 6\)"),
    ],
)
def test_wrong_shapes_are_named(changed, message):
    given = problem(5, 3, 4, 6)
    arrays = {name: np.zeros(shape, np.float32) for name, shape in changed.items()}
    with pytest.raises(ValueError, match=f"lstm: {message}"):
        lstm.forward(**given.arrays | arrays)


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
    with pytest.raises(error, match=f"lstm: {message}"):
        run(problem(5, 3, 4, 6, lengths=lengths))


def test_wrong_dtypes_and_gradients_are_named():
    given = problem(5, 3, 4, 6)
    with pytest.raises(TypeError, match="lstm: expected c0 of float32 like the rest, got float64"):
        lstm.forward(**given.arrays | {"c0": np.zeros((3, 6))})
    with pytest.raises(TypeError, match="lstm: expected x of float32 or float64, got float16"):
        lstm.forward(**given.arrays | {"x": np.zeros((5, 3, 4), np.float16)})
    with pytest.raises(TypeError, match="expected lengths to be an array of int64, got list"):
        lstm.forward(**given.arrays, lengths=[1, 2, 3])
    _, saved = lstm.forward(**given.arrays)
    with pytest.raises(ValueError, match=r"expected dy of shape \(5, 3, 6\), got \(3, 6\)"):
        lstm.backward(given.dh_n, None, None, saved)
    with pytest.raises(TypeError, match="expected dc_n of float32 like x, got float64"):
        lstm.backward(None, None, given.dc_n.astype(np.float64), saved)
    with pytest.raises(ValueError, match="expected what forward saved, got None"):
        lstm.backward(None, None, None, None)
