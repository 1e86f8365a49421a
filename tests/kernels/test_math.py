"""exp, sigmoid and tanh: errors in units in the last place over the whole range (C1, C2)."""

from decimal import Context, Decimal

import numpy as np
import pytest

from kernels import _jit, _math, _simd
from kernels._simd import lanes, load, store
from tests.helpers import assert_same_bits

FUNCTIONS = ["exp", "sigmoid", "tanh"]
FLOATS = [np.float32, np.float64]
LARGEST_ERROR = {"exp": 1.01, "sigmoid": 2.5, "tanh": 2.5}

# Where the result is neither 0 nor inf, and normal for sigmoid.
RANGES = {
    ("exp", np.float32): (-103.9, 88.7),
    ("sigmoid", np.float32): (-87.3, 104),
    ("tanh", np.float32): (-50, 50),
    ("exp", np.float64): (-745.1, 709.7),
    ("sigmoid", np.float64): (-708.3, 746),
    ("tanh", np.float64): (-50, 50),
}


@_jit.jit
def _apply_all(x, out_exp, out_sigmoid, out_tanh):
    for i in range(0, x.size, lanes(x)):
        value = load(x, i)
        store(out_exp, i, _math.exp(value))
        store(out_sigmoid, i, _math.sigmoid(value))
        store(out_tanh, i, _math.tanh(value))


def computed(name, x):
    """The function at x of any length, by whole values."""
    padded = np.zeros(-(-x.size // 64) * 64, x.dtype)
    padded[: x.size] = x
    outs = {function: np.full_like(padded, np.nan) for function in FUNCTIONS}
    _apply_all(padded, *outs.values())
    return outs[name][: x.size]


def ulp_errors(actual, expected):
    """Distance in units in the last place of the expected value; expected in higher precision."""
    spacing = np.spacing(np.abs(expected).astype(actual.dtype)).astype(np.float64)
    return np.abs((actual.astype(expected.dtype) - expected).astype(np.float64)) / spacing


def in_float64(name, x):
    x = x.astype(np.float64)
    return {"exp": np.exp, "sigmoid": lambda v: 1 / (1 + np.exp(-v)), "tanh": np.tanh}[name](x)


def decimals(name, x):
    """The function at each x in 40 digits."""
    ctx = Context(prec=40)
    if name == "exp":
        return [ctx.exp(Decimal(v)) for v in x]
    if name == "sigmoid":
        return [ctx.divide(1, ctx.add(1, ctx.exp(-Decimal(v)))) for v in x]
    grown = [ctx.exp(2 * Decimal(v)) for v in x]
    return [ctx.divide(ctx.subtract(e, 1), ctx.add(e, 1)) for e in grown]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_c1_c2_float32_errors(name):
    low, high = RANGES[name, np.float32]
    even = np.linspace(low, high, 1 << 20)
    magnitudes = np.geomspace(1e-44, min(-low, high), 1 << 18)
    x = np.concatenate([even, magnitudes, -magnitudes]).astype(np.float32)
    errors = ulp_errors(computed(name, x), in_float64(name, x))
    assert errors.max() <= LARGEST_ERROR[name], f"{errors.max():.2f} ULP at {x[errors.argmax()]}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_c1_c2_float64_errors(name):
    low, high = RANGES[name, np.float64]
    magnitudes = np.geomspace(1e-20, min(-low, high), 2000)
    x = np.concatenate([np.linspace(low, high, 6001), magnitudes, -magnitudes])
    y = computed(name, x)
    distances = [
        float(abs(Decimal(actual) - expected) / Decimal(float(np.spacing(abs(float(expected))))))
        for actual, expected in zip(y.tolist(), decimals(name, x.tolist()), strict=True)
    ]
    worst = int(np.argmax(distances))
    assert distances[worst] <= LARGEST_ERROR[name], f"{distances[worst]:.2f} ULP at {x[worst]}"


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_limits_and_special_values(name, dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    x = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e30, -1e30, tiny, -tiny], dtype)
    y = computed(name, x)
    expected = {
        "exp": [np.inf, 0, 1, 1, np.inf, 0, 1, 1],
        "sigmoid": [1, 0, 0.5, 0.5, 1, 0, 0.5, 0.5],
        "tanh": [1, -1, 0, 0, 1, -1, tiny, -tiny],
    }
    assert np.isnan(y[0])
    assert y[1:].tolist() == np.array(expected[name], dtype).tolist()
    if name == "tanh":
        assert np.signbit(y).tolist()[3:] == np.signbit(x).tolist()[3:]


@pytest.mark.parametrize("dtype", FLOATS)
def test_exp_at_the_ends_of_its_range(dtype):
    info = np.finfo(dtype)
    edge = np.log(info.max)
    above = np.log(info.max.astype(np.longdouble)) + 0.01
    below = np.log(info.smallest_subnormal.astype(np.float64)) if dtype is np.float32 else -745.13
    x = np.array([edge - 1e-3, above, below + 0.01, below - 1.5], dtype)
    y = computed("exp", x)
    assert info.max / 2 < y[0] < np.inf and y[1] == np.inf
    assert y[2] == info.smallest_subnormal and y[3] == 0


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_lanes_do_not_know_each_other(name, dtype):
    """NaN and extremes in a lane leave its neighbours alone."""
    count = _simd.VALUE_BYTES // np.dtype(dtype).itemsize
    x = np.linspace(-3, 3, count).astype(dtype)
    alone = computed(name, x)
    for place in range(count):
        for extreme in (np.nan, np.inf, -1000):
            mixed = x.copy()
            mixed[place] = extreme
            others = np.arange(count) != place
            assert_same_bits(computed(name, mixed)[others], alone[others])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_results_grow_with_x(name):
    """Neighbouring polynomials meet where n changes: no step back by more than rounding."""
    low, high = RANGES[name, np.float32]
    y = computed(name, np.linspace(max(low, -80), min(high, 80), 1 << 18).astype(np.float32))
    back = (y[:-1] - y[1:]) / np.spacing(np.abs(y[1:]))
    assert back.max() <= 2 * LARGEST_ERROR[name]
