"""What recurrent kernels share: gate functions, sums of columns, what is saved."""

import inspect

import numpy as np
import pytest

from kernels import _jit, gru, lstm, rnn
from kernels._recurrent import gate, squash
from kernels._recurrent.weight_gradients import KC, add_column_sums
from kernels._simd import lanes, load, store
from tests.helpers import assert_close
from tests.kernels.guards import poisoned_memory


@_jit.jit
def _gates(x, out_gate, out_squash):
    for i in range(0, x.size, lanes(x)):
        store(out_gate, i, gate(load(x, i)))
        store(out_squash, i, squash(load(x, i)))


def both(x):
    found = np.empty_like(x), np.empty_like(x)
    _gates(x, *found)
    return found


@pytest.mark.parametrize(("dtype", "error"), [(np.float32, 1.5e-7), (np.float64, 1e-15)])
def test_i3_gates_are_right_wherever_they_are_asked(dtype, error):
    size = np.geomspace(1e-30, 300, 1 << 15)
    x = np.concatenate([-size[::-1], size]).astype(dtype)
    wide = x.astype(np.float64)
    opened, squashed = both(x)
    with np.errstate(over="ignore"):
        assert np.abs(opened - 1 / (1 + np.exp(-wide))).max() < error
    tanh = np.tanh(wide)
    assert np.abs(squashed - tanh).max() < error
    # Near 0 the digits are those of x.
    near = np.abs(wide) < 0.1
    assert np.abs(squashed / tanh - 1)[near].max() < 4 * error


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_i3_gates_of_what_is_not_finite(dtype):
    x = np.zeros(64, dtype)
    x[:4] = np.nan, np.inf, -np.inf, 0
    opened, squashed = both(x)
    assert np.isnan([opened[0], squashed[0]]).all()
    assert list(opened[1:4]) == [1, 0, 0.5] and list(squashed[1:4]) == [1, -1, 0]


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 1e-14)])
@pytest.mark.parametrize("rows", [1, 3, KC, 2 * KC + 5])
def test_columns_are_added_to_sums(dtype, tolerance, rows):
    panel = 64 // np.dtype(dtype).itemsize * 2
    width = 11 * panel
    x = np.random.default_rng(rows).normal(size=(rows, width)).astype(dtype)
    some = (0, width), (panel, 6 * panel), (panel, panel), (2 * panel, 3 * panel)
    for first, last in (*some, (0, 3), (panel, 5 * panel + 7), (10 * panel, width - 1)):
        sums, spare = np.ones(width), np.full(4 * panel, np.nan, dtype)
        add_column_sums(rows, x.reshape(-1), width, first, last, spare, sums)
        expected = np.ones(width)
        expected[first:last] += x[:, first:last].sum(axis=0, dtype=np.float64)
        assert_close(sums, expected, tolerance * rows**0.5)


CELLS = {
    "rnn": (rnn, 1, {}),
    "gru": (gru, 3, {}),
    "gru with the reset before": (gru, 3, {"reset_after": False}),
    "lstm": (lstm, 4, {}),
    "lstm with a projection": (lstm, 4, {"projected": 5}),
}


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", CELLS)
def test_the_reference_goes_on_from_what_was_saved(monkeypatch, name, reverse):
    """It lies as the formulas say, without padding; what is behind a sample's end is not used."""
    op, gates, options = CELLS[name]
    steps, samples, inputs, hidden = 4, 3, 5, 19
    width = options.get("projected", hidden)
    normal = np.random.default_rng(0).normal
    states = [normal(size=(samples, each)) for each in (width, hidden)[: 1 + (op is lstm)]]
    weights = [normal(size=(gates * hidden, each)) / 5 for each in (inputs, width)]
    biases = [normal(size=gates * hidden) for _ in range(2)]
    named = {"lengths": np.array([4, 1, 3]), "reverse": reverse}
    if width != hidden:
        named["weight_hr"] = normal(size=(width, hidden)) / 5
    elif op is gru:
        named |= options
    dy = normal(size=(steps, samples, width))
    with poisoned_memory(monkeypatch):
        x = normal(size=(steps, samples, inputs))
        _, saved = op.forward(x, *states, *weights, *biases, **named)
        found = [each for each in op.backward(dy, *states, saved) if each is not None]

    run, dweights = saved.run, [np.full_like(each, np.nan) for each in saved.weights]
    given = saved._asdict() | run._asdict() | dict(zip(("dh_n", "dc_n"), states, strict=False))
    given |= {
        f"out_d{k}": np.full_like(v, np.nan) for k, v in zip(("h0", "c0"), states, strict=False)
    }
    given |= {"dy": dy, "out_dx": np.full_like(x, np.nan), "out_dweights": dweights}
    backward = op.reference.backward
    backward(**{name: given[name] for name in inspect.signature(backward).parameters})
    expected = [given[f"out_d{name}"] for name in ("x", "h0", "c0")[: 1 + len(states)]]
    for one, other in zip(found, [*expected, *dweights[:2]], strict=False):
        assert_close(one, other, 1e-13)
    if width != hidden:
        assert_close(found[-1], dweights[3], 1e-13)
