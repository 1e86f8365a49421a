"""What recurrent kernels share: gate functions, and sums of columns."""

import numpy as np
import pytest

from kernels import _jit
from kernels._recurrent import gate, squash
from kernels._recurrent.weights import DEPTH, add_column_sums
from kernels._simd import lanes, load, store
from tests.helpers import assert_close


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
@pytest.mark.parametrize("rows", [1, 3, DEPTH, 2 * DEPTH + 5])
def test_columns_are_added_to_sums(dtype, tolerance, rows):
    panel = 64 // np.dtype(dtype).itemsize * 2
    width = 11 * panel
    x = np.random.default_rng(rows).normal(size=(rows, width)).astype(dtype)
    for first, last in ((0, width), (panel, 6 * panel), (panel, panel), (2 * panel, 3 * panel)):
        sums, spare = np.ones(width), np.full(4 * panel, np.nan, dtype)
        add_column_sums(rows, x.reshape(-1), 0, width, first, last, spare, sums)
        expected = np.ones(width)
        expected[first:last] += x[:, first:last].sum(axis=0, dtype=np.float64)
        assert_close(sums, expected, tolerance * rows**0.5)
