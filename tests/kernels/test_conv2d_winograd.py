"""3 x 3 convolution by Winograd's F(4x4, 3x3) (inventory H): values, errors, choice."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import conv2d
from kernels.conv2d import winograd
from kernels.conv2d.geometry import problem_of
from tests.helpers import assert_close, assert_same_bits, assert_same_bits_on_threads
from tests.kernels.guards import poisoned_memory
from tests.kernels.test_conv2d import expected, inputs

DTYPES = [(np.float32, 6e-6), (np.float64, 1e-14)]

# x, filters, padding
CASES = {
    "one tile": ((1, 16, 6, 6), 16, (0, 0)),
    "one element": ((1, 16, 3, 3), 16, (0, 0)),
    "odd everything": ((3, 19, 7, 11), 21, (1, 1)),
    "few channels": ((2, 1, 9, 8), 3, (1, 1)),
    "whole blocks of whole tiles": ((9, 16, 16, 16), 32, (1, 1)),
    "tiles cut off": ((5, 17, 14, 13), 33, (1, 1)),
    "padding on one side": ((2, 16, 5, 9), 16, (0, 2)),
    "padding beyond the kernel": ((1, 16, 5, 4), 18, (3, 4)),
    "several superblocks": ((70, 8, 12, 12), 9, (1, 1)),
    "channels over two panels": ((1, 50, 8, 8), 40, (1, 1)),
    "channels over two runs": ((1, 67, 6, 6), 17, (1, 1)),
}


def run(x, weight, bias, dy, padding, relu=True):
    y, saved = conv2d.forward(x, weight, bias, padding=padding, relu=relu, algorithm="winograd")
    return y, *conv2d.backward(dy, saved)


@pytest.mark.parametrize("dtype, tolerance", DTYPES, ids=["float32", "float64"])
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_h_winograd_gives_the_reference(monkeypatch, name, relu, dtype, tolerance):
    x_shape, filters, padding = CASES[name]
    geometry = {"padding": padding}
    x, weight, bias, dy = inputs(x_shape, (filters, x_shape[1], 3, 3), geometry, dtype)
    weight /= np.float32(3 * x_shape[1] ** 0.5)
    with poisoned_memory(monkeypatch):
        results = run(x, weight, bias, dy, padding, relu)
    wanted = expected(x, weight, bias, dy, results[0], relu, geometry)
    for result, want in zip(results, wanted, strict=True):
        assert_close(result, want, tolerance)


@settings(max_examples=30, deadline=None)
@given(
    st.tuples(st.integers(1, 4), st.integers(1, 20), st.integers(3, 15), st.integers(3, 15)),
    st.integers(1, 20),
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
)
def test_h_winograd_under_any_shape(x_shape, filters, padding):
    geometry = {"padding": padding}
    x, weight, bias, dy = inputs(x_shape, (filters, x_shape[1], 3, 3), geometry, np.float32)
    weight /= np.float32(3 * x_shape[1] ** 0.5)
    results = run(x, weight, bias, dy, padding)
    wanted = expected(x, weight, bias, dy, results[0], True, geometry)
    for result, want in zip(results, wanted, strict=True):
        assert_close(result, want, 6e-6)


@pytest.mark.parametrize("name", ["tiles cut off", "several superblocks"])
def test_winograd_has_the_same_bits_on_1_2_and_3_threads(name):
    x_shape, filters, padding = CASES[name]
    shapes = x_shape, (filters, x_shape[1], 3, 3), {"padding": padding}
    arrays = inputs(*shapes, np.float32)
    assert_same_bits_on_threads(lambda: run(*arrays, padding))


def test_winograd_leaves_inputs_alone():
    arrays = inputs((2, 16, 9, 9), (16, 16, 3, 3), {"padding": (1, 1)}, np.float32)
    before = [array.copy() for array in arrays]
    run(*arrays, (1, 1))
    assert_same_bits(arrays, before)


@pytest.mark.parametrize(
    "shapes, geometry, taken",
    [
        (((2, 16, 8, 8), (16, 16, 3, 3)), {"padding": (1, 1)}, "winograd"),
        (((2, 15, 8, 8), (16, 15, 3, 3)), {"padding": (1, 1)}, "direct"),
        (((2, 16, 8, 8), (16, 16, 3, 3)), {"stride": (2, 2)}, "direct"),
        (((2, 16, 9, 9), (16, 16, 3, 3)), {"dilation": (2, 2)}, "direct"),
        (((2, 32, 8, 8), (32, 16, 3, 3)), {"groups": 2}, "direct"),
        (((2, 16, 4, 4), (16, 16, 3, 3)), {}, "direct"),
    ],
)
def test_auto_takes_winograd_where_it_pays(shapes, geometry, taken):
    x, weight, bias, dy = inputs(*shapes, geometry, np.float32)
    results = {}
    for algorithm in ("auto", taken):
        y, saved = conv2d.forward(x, weight, bias, algorithm=algorithm, **geometry)
        results[algorithm] = y, *conv2d.backward(dy, saved)
    assert_same_bits(results["auto"], results[taken])


@pytest.mark.parametrize(
    "weight_shape, geometry",
    [
        ((4, 4, 5, 5), {}),
        ((4, 4, 3, 3), {"stride": (1, 2)}),
        ((4, 4, 3, 3), {"dilation": (2, 2)}),
        ((4, 2, 3, 3), {"groups": 2}),
    ],
)
def test_winograd_where_it_does_not_apply(weight_shape, geometry):
    x = np.ones((1, 4, 9, 9), np.float32)
    with pytest.raises(ValueError, match="expected a 3 x 3 kernel with stride 1"):
        conv2d.forward(x, np.ones(weight_shape, np.float32), algorithm="winograd", **geometry)


@pytest.mark.parametrize("channels, size", [(16, 32), (32, 28), (64, 14), (128, 28), (256, 14)])
def test_winograd_errs_at_most_3_times_as_much_as_pytorch(channels, size):
    torch = pytest.importorskip("torch")
    shape, filters = (2, channels, size, size), (channels, channels, 3, 3)
    x, weight, bias, dy = inputs(shape, filters, {"padding": (1, 1)}, np.float32)
    ours = run(x, weight, bias, dy, (1, 1), relu=False)
    wanted = expected(x, weight, bias, dy, ours[0], False, {"padding": (1, 1)})
    leaves = [torch.from_numpy(array).requires_grad_() for array in (x, weight, bias)]
    y = torch.nn.functional.conv2d(*leaves, padding=1)
    theirs = (y.detach(), *torch.autograd.grad(y, leaves, torch.from_numpy(dy)))
    errors = [
        [relative_error(array, want) for array in (our, their.numpy())]
        for our, their, want in list(zip(ours, theirs, wanted, strict=True))[:3]
    ]
    assert all(our <= 3 * their for our, their in errors), errors


def relative_error(actual, wanted):
    return np.sqrt(np.mean((actual - wanted) ** 2) / np.mean(wanted**2))


def test_winograd_needs_whole_runs_of_lanes(monkeypatch):
    arrays = np.empty((1, 16, 8, 8)), np.empty((16, 16, 3, 3))
    problem = problem_of(*arrays, (1, 1), (1, 1), (1, 1), 1)
    assert winograd.applies(problem)
    monkeypatch.setattr(winograd, "panel_columns", lambda dtype: 6)
    assert not winograd.applies(problem)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [(0, 0), (5, 6), (13, 13)])
def test_what_is_not_finite_spreads_over_the_tiles_that_see_it_and_no_further(place, number):
    shapes = (2, 16, 14, 14), (17, 16, 3, 3), {"padding": (1, 1)}
    x, weight, bias, dy = inputs(*shapes, np.float32)
    clean = run(x, weight, bias, dy, (1, 1), relu=False)
    bad_x, bad_dy = x.copy(), dy.copy()
    bad_x[1, 3, *place] = number
    bad_dy[1, 4, *place] = number
    y, saved = conv2d.forward(bad_x, weight, bias, padding=(1, 1), algorithm="winograd")
    plain, _ = conv2d.forward(bad_x, weight, bias, padding=(1, 1), algorithm="im2col")
    _, dweight, _ = conv2d.backward(dy, saved)
    dx, _, _ = conv2d.backward(bad_dy, saved._replace(x=x))
    # A tile of 4 x 4 outputs begins at a multiple of 4 and sees one pixel more on each side.
    tiles = np.zeros((16, 16), bool)
    for row in range(0, 16, 4):
        for column in range(0, 16, 4):
            sees = row - 1 <= place[0] <= row + 4 and column - 1 <= place[1] <= column + 4
            tiles[row : row + 4, column : column + 4] = sees
    tiles = tiles[:14, :14]
    assert np.all(np.isfinite(y[1]) <= np.isfinite(plain[1]))
    for bad, good in ((y, clean[0]), (dx, clean[1])):
        assert_same_bits(bad[0], good[0])
        assert_same_bits(bad[1][:, ~tiles], good[1][:, ~tiles])
        assert not np.isfinite(bad[1][:, place[0], place[1]]).any()
    others = np.arange(16) != 3
    assert_same_bits(dweight[:, others], clean[2][:, others])
    assert not np.isfinite(dweight[:, 3]).any()
