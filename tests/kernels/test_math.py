"""Elementary functions: errors in units in the last place over the whole range (C1, C2, C6)."""

from decimal import Context, Decimal, localcontext

import numpy as np
import pytest
from scipy import special

from kernels import _jit, _math, _simd
from kernels._simd import lanes, load, minimum, store
from tests.helpers import assert_same_bits

FLOATS = [np.float32, np.float64]
LARGEST_ERROR = {
    "exp": 1.1,
    "expm1": 1.5,
    "log": 1.1,
    "log1p": 1.1,
    "sigmoid": 2.5,
    "tanh": 2.5,
    "erf": 2.0,
    "normal_cdf": 7.5,
    "decay": 1.1,  # of min(x, 0)
}
LEAST_NORMAL_32 = np.log(np.float64(np.finfo(np.float32).smallest_normal))
FUNCTIONS = list(LARGEST_ERROR)

# Where float64 is sampled: between results of 0 and of inf, normal ones for sigmoid.
RANGES_64 = {
    "exp": (-745.1, 709.7),
    "expm1": (-745.1, 709.7),
    "log": (1e-320, 1e308),
    "log1p": (-1 + 1e-15, 1e308),
    "sigmoid": (-708, 746),
    "tanh": (-50, 50),
    "erf": (-7, 7),
    "normal_cdf": (-37, 10),
    "decay": (-708.3, 1),
}


@_jit.jit
def _apply_all(x, out):
    for i in range(0, x.size, lanes(x)):
        value = load(x, i)
        store(out, i, _math.exp(value))
        store(out, x.size + i, _math.expm1(value))
        store(out, 2 * x.size + i, _math.log(value))
        store(out, 3 * x.size + i, _math.log1p(value))
        store(out, 4 * x.size + i, _math.sigmoid(value))
        store(out, 5 * x.size + i, _math.tanh(value))
        store(out, 6 * x.size + i, _math.erf(value))
        store(out, 7 * x.size + i, _math.normal_cdf(value)[0])
        store(out, 8 * x.size + i, _math.decay(minimum(value, 0.0)))


def computed(x):
    """Every function at x of any length, by whole values."""
    padded = np.zeros(-(-x.size // 64) * 64, x.dtype)
    padded[: x.size] = x
    out = np.full((len(FUNCTIONS), padded.size), np.nan, x.dtype)
    _apply_all(padded, out)
    return dict(zip(FUNCTIONS, out[:, : x.size], strict=True))


def in_float64(name, x):
    functions = {"sigmoid": special.expit, "erf": special.erf, "normal_cdf": special.ndtr}
    functions["decay"] = lambda v: np.where(v < LEAST_NORMAL_32, 0, np.exp(np.minimum(v, 0)))
    with np.errstate(all="ignore"):
        return functions.get(name, getattr(np, name, None))(x.astype(np.float64))


def allowed(name, x):
    """The rounding of x^2 in the lower tail of the normal distribution is multiplied by it."""
    tail = np.square(np.minimum(x, 0).astype(np.float64)) / 2 if name == "normal_cdf" else 0.0
    return LARGEST_ERROR[name] + tail


@pytest.fixture(scope="module")
def every_magnitude():
    """Every 1021st number of float32: both signs, subnormal numbers, inf, NaN."""
    x = np.arange(0, 1 << 32, 1021, np.uint32).view(np.float32)
    return x, computed(x)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_c1_c2_c6_elementary_float32_errors(name, every_magnitude):
    x, results = every_magnitude
    y, expected = results[name], in_float64(name, x)
    assert np.array_equal(np.isnan(y), np.isnan(expected))
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = expected.astype(np.float32)
        infinite = np.isinf(rounded) | np.isinf(y)
        assert np.array_equal(y[infinite], rounded[infinite])
        checked = np.isfinite(rounded) & ~infinite
        if name == "sigmoid":
            checked &= x > -87.0
        if name == "normal_cdf":
            checked &= x > -13.2
        x, y, expected, rounded = (a[checked] for a in (x, y, expected, rounded))
        errors = np.abs(y.astype(np.float64) - expected) / np.spacing(np.abs(rounded))
    excess = errors - allowed(name, x)
    worst = excess.argmax()
    assert excess[worst] <= 0, f"{errors[worst]:.2f} ULP at {x[worst]!r}"


@pytest.fixture(scope="module")
def dense():
    """As many numbers again where the functions bend."""
    x = np.linspace(-20, 20, 1 << 21).astype(np.float32)
    return x, computed(x)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_c1_c2_c6_elementary_float32_errors_where_functions_bend(name, dense):
    test_c1_c2_c6_elementary_float32_errors(name, dense)


def digits(name, x):
    """The function at x in 40 digits and more."""
    x = Decimal(float(x))
    if name in ("exp", "decay"):
        return min(x, Decimal(0)).exp() if name == "decay" else x.exp()
    if name == "expm1":
        return x.exp() - 1
    if name == "log":
        return x.ln()
    if name == "log1p":
        return (1 + x).ln()
    if name == "sigmoid":
        return 1 / (1 + (-x).exp())
    if name == "tanh":
        e = (2 * x).exp()
        return (e - 1) / (e + 1)
    if name == "erf":
        return erf_digits(x)
    return (1 + erf_digits(x / Decimal(2).sqrt())) / 2


PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899")


def erf_digits(x):
    """2 / sqrt(pi) e^(-x^2) times the sum of 2^n x^(2n+1) / (1 3 5 ... (2n+1))."""
    term = total = x
    n = 0
    while abs(term) > abs(total).scaleb(-70) and term:
        n += 1
        term = term * 2 * x * x / (2 * n + 1)
        total += term
    return 2 / PI.sqrt() * (-x * x).exp() * total


@pytest.mark.parametrize("name", FUNCTIONS)
def test_c1_c2_c6_elementary_float64_errors(name):
    low, high = RANGES_64[name]
    if low > -1:
        x = np.geomspace(low if low > 0 else 1e-60, high, 3000)
        x = x if name == "log" else np.concatenate([x, np.linspace(low, 1, 1000)])
    else:
        magnitudes = np.geomspace(1e-20, high, 500)
        x = np.concatenate([np.linspace(low, high, 2001), np.linspace(-2, 2, 501), magnitudes])
        x = np.concatenate([x, -magnitudes])
    x = x[(x >= low) & (x <= high)]
    # 1 + erf loses as many digits as the tail is small: PI has enough for x down to -15.
    x = x[x > -15] if name == "normal_cdf" else x
    y = computed(x)[name]
    with localcontext(Context(prec=120)):
        for one, actual, allow in zip(
            x, y, np.broadcast_to(allowed(name, x), x.shape), strict=True
        ):
            expected = digits(name, one)
            distance = abs(Decimal(float(actual)) - expected)
            ulp = distance / Decimal(float(np.spacing(abs(float(expected)))))
            assert ulp <= Decimal(float(allow)), f"{float(ulp):.2f} ULP at {one!r}"


@pytest.mark.parametrize("dtype", FLOATS)
def test_limits_and_special_values(dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    inf, nan = np.inf, np.nan
    x = np.array([nan, inf, -inf, 0.0, -0.0, 1e30, -1e30, 1000, -1000, tiny, -1], dtype)
    big = np.log(dtype(1e30))
    thousand, thousand_and_one = np.log(dtype(1000)), np.log1p(dtype(1000))
    e = dtype(np.exp(-1.0))
    expected = {
        "exp": [inf, 0, 1, 1, inf, 0, inf, 0, 1, e],
        "expm1": [inf, -1, 0, 0, inf, -1, inf, -1, tiny, e - dtype(1)],
        "log": [inf, nan, -inf, -inf, big, nan, thousand, nan, np.log(tiny), nan],
        "log1p": [inf, nan, 0, 0, big, nan, thousand_and_one, nan, tiny, -inf],
        "sigmoid": [1, 0, 0.5, 0.5, 1, 0, 1, 0, 0.5, special.expit(dtype(-1))],
        "tanh": [1, -1, 0, 0, 1, -1, 1, -1, tiny, np.tanh(dtype(-1))],
        "erf": [1, -1, 0, 0, 1, -1, 1, -1, tiny, special.erf(dtype(-1))],
        "decay": [1, 0, 1, 1, 1, 0, 1, 0, 1, e],
        "normal_cdf": [1, 0, 0.5, 0.5, 1, 0, 1, 0, 0.5, special.ndtr(dtype(-1))],
    }
    for name, y in computed(x).items():
        assert np.isnan(y[0]), name
        np.testing.assert_allclose(y[1:], expected[name], 4 * np.finfo(dtype).eps, err_msg=name)
        if name in ("tanh", "erf"):
            assert np.signbit(y[4]) and not np.signbit(y[3])


@pytest.mark.parametrize("dtype", FLOATS)
def test_payloads_of_nan_do_not_matter(dtype):
    """The bits of a NaN take part in the arithmetic on exponents."""
    kind = {np.float32: np.uint32, np.float64: np.uint64}[dtype]
    rng = np.random.default_rng(0)
    mantissa = rng.integers(1, 1 << np.finfo(dtype).nmant, 4096).astype(kind)
    x = (mantissa | np.array(np.inf, dtype).view(kind)).view(dtype)
    for name, y in computed(np.concatenate([x, -x])).items():
        assert np.isnan(y).all(), name


@pytest.mark.parametrize("dtype", FLOATS)
def test_exp_at_the_ends_of_its_range(dtype):
    info = np.finfo(dtype)
    edge = np.log(info.max)
    above = np.log(info.max.astype(np.longdouble)) + 0.01
    below = np.log(info.smallest_subnormal.astype(np.float64)) if dtype is np.float32 else -745.13
    x = np.array([edge - 1e-3, above, below + 0.01, below - 1.5], dtype)
    y = computed(x)["exp"]
    assert info.max / 2 < y[0] < np.inf and y[1] == np.inf
    assert y[2] == info.smallest_subnormal and y[3] == 0


@pytest.mark.parametrize("name", ["exp", "expm1"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_neighbours_of_the_ends(dtype, name):
    """Every float near where results overflow, and where they become subnormal."""
    info = np.finfo(dtype)
    ulps = np.arange(-200, 201)
    for end in (info.max, info.smallest_normal):
        near = np.log(end.astype(np.float64)).astype(dtype)
        x = (near + ulps * np.spacing(near)).astype(dtype)
        y = computed(x)[name]
        with np.errstate(over="ignore", invalid="ignore"):
            expected = getattr(np, name)(x.astype(np.longdouble)).astype(dtype)
        last = np.isfinite(expected)
        expected = expected[last]
        assert (np.abs(y[last] - expected) <= 2 * np.spacing(np.abs(expected))).all()
        assert np.isinf(y[~last]).all()


@pytest.mark.parametrize("dtype", FLOATS)
def test_lanes_do_not_know_each_other(dtype):
    """NaN and extremes in a lane leave its neighbours alone."""
    count = _simd.VALUE_BYTES // np.dtype(dtype).itemsize
    x = np.linspace(-3, 3, count).astype(dtype)
    alone = computed(x)
    for place in range(count):
        for extreme in (np.nan, np.inf, -1000):
            mixed = x.copy()
            mixed[place] = extreme
            others = np.arange(count) != place
            for name, y in computed(mixed).items():
                assert_same_bits(y[others], alone[name][others])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_results_grow_with_x(name):
    """Neighbouring polynomials meet where they change: no step back by more than rounding."""
    x = np.linspace(0.001 if name == "log" else -0.99 if name == "log1p" else -12, 80, 1 << 18)
    y = computed(x.astype(np.float32))[name]
    back = (y[:-1] - y[1:]) / np.spacing(np.abs(y[1:]))
    assert (back - 2 * allowed(name, x[1:])).max() <= 0
