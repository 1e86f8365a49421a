"""SIMD values against NumPy: to the bit, lane by lane, memory beyond untouched."""

import numpy as np
import pytest

from kernels import _jit, _simd
from kernels._simd import (
    absolute,
    any_lane,
    clear,
    copysign,
    first,
    fma,
    full,
    is_double,
    lanes,
    load,
    load_as,
    load_bits,
    load_first,
    load_some,
    max_lanes,
    maximum,
    minimum,
    rint,
    select,
    sqrt,
    store,
    store_as,
    store_bits,
    store_first,
    store_some,
    stream,
    sum_lanes,
    times_power_of_two,
    values_across,
    vector,
)
from tests.helpers import assert_same_bits, nan_poisoned
from tests.narrow import narrow_features

FLOATS = [np.float32, np.float64]
INTEGERS = [np.int32, np.uint32, np.int64, np.uint64]


def lane_count(dtype):
    return _simd.VALUE_BYTES // np.dtype(dtype).itemsize


def numbers(dtype, seed, count=None):
    """Numbers of many magnitudes and both signs."""
    rng = np.random.default_rng(seed)
    count = count or lane_count(dtype)
    return (rng.normal(size=count) * 10.0 ** rng.integers(-3, 4, count)).astype(dtype)


def with_specials(dtype, seed):
    """Numbers among which lie NaN, infinities, zeros of both signs, equals and halves."""
    a, b = numbers(dtype, seed), numbers(dtype, seed + 1)
    a[:8] = [np.nan, 1, 2.5, 0.0, np.nan, np.inf, -np.inf, -1.5][: len(a)]
    b[:8] = [1, np.nan, 2.5, -0.0, np.nan, np.inf, 1, 3.5][: len(b)]
    return a, b


@_jit.jit
def _float_operators(a, b, c, out):
    x, y, z, n = load(a, 0), load(b, 0), load(c, 0), lanes(a)
    store(out, 0 * n, x + y)
    store(out, 1 * n, x - y)
    store(out, 2 * n, x * y)
    store(out, 3 * n, x / y)
    store(out, 4 * n, -x)
    store(out, 5 * n, x + 0.1)
    store(out, 6 * n, 3 - x)
    store(out, 7 * n, 0.1 * x)
    store(out, 8 * n, 1 / x)
    sum_, difference = x, x
    sum_ += y
    store(out, 9 * n, sum_)
    sum_ /= z
    store(out, 10 * n, sum_)
    difference -= y
    store(out, 11 * n, difference)
    difference *= z
    store(out, 12 * n, difference)
    store(out, 13 * n, sqrt(absolute(x)))
    store(out, 14 * n, rint(x))
    store(out, 15 * n, copysign(x, y))
    store(out, 16 * n, full(a, 0.1))
    store(out, 17 * n, 7.0)


@pytest.mark.parametrize("dtype", FLOATS)
def test_float_operators(dtype):
    a, b, c = (numbers(dtype, seed) for seed in (1, 2, 3))
    a[:6] = [0.5, 1.5, 2.5, -2.5, -0.5, 1e6][: len(a)]
    tenth = dtype(0.1)
    expected = [
        a + b,
        a - b,
        a * b,
        a / b,
        -a,
        a + tenth,
        3 - a,
        tenth * a,
        1 / a,
        a + b,
        (a + b) / c,
        a - b,
        (a - b) * c,
        np.sqrt(np.abs(a)),
        np.rint(a),
        np.copysign(a, b),
        np.full_like(a, 0.1),
        np.full_like(a, 7),
    ]
    out = nan_poisoned((len(expected), len(a)), dtype)
    _float_operators(a, b, c, out)
    for row, values in enumerate(expected):
        # Zeros may lose their sign: the flags allow it. Adding 0 compares them as equal.
        assert_same_bits(out[row] + 0, values + 0)


@_jit.jit
def _comparisons(a, b, out, out_any):
    x, y, n = load(a, 0), load(b, 0), lanes(a)
    for k in range(10):
        mask = x < y
        if k == 1:
            mask = x <= y
        if k == 2:
            mask = x > y
        if k == 3:
            mask = x >= y
        if k == 4:
            mask = x == y
        if k == 5:
            mask = x != y
        if k == 6:
            mask = (x < 2) & (y > 2)
        if k == 7:
            mask = (x < 2) | (y > 2)
        if k == 8:
            mask = (x < 2) ^ (y > 2)
        if k == 9:
            mask = ~(2 < x)
        store(out, k * n, select(mask, x, y))
        out_any[k] = any_lane(mask)
    store(out, 10 * n, select(x > y, x, 7))
    store(out, 11 * n, select(x > y, 7, y))


@pytest.mark.parametrize("dtype", FLOATS + INTEGERS)
def test_comparisons_choose_lanes(dtype):
    if dtype in FLOATS:
        a, b = with_specials(dtype, 1)
    else:
        # Greatest and least show whether a comparison takes the sign into account.
        info = np.iinfo(dtype)
        a = np.resize(np.array([1, 2, 3, info.max, info.min, 5], dtype), lane_count(dtype))
        b = np.resize(np.array([3, 2, 1, info.min, info.max], dtype), lane_count(dtype))
    masks = [a < b, a <= b, a > b, a >= b, a == b, a != b]
    masks += [(a < 2) & (b > 2), (a < 2) | (b > 2), (a < 2) ^ (b > 2), ~(2 < a)]
    out = np.zeros((12, len(a)), dtype)
    any_ = np.full(10, 2)
    _comparisons(a, b, out, any_)
    for k, mask in enumerate(masks):
        assert_same_bits(out[k], np.where(mask, a, b))
        assert any_[k] == mask.any()
    assert_same_bits(out[10], np.where(a > b, a, dtype(7)))
    assert_same_bits(out[11], np.where(a > b, dtype(7), b))


def test_no_lane_is_true():
    a = np.ones(lane_count(np.float32), np.float32)
    out, any_ = np.zeros((12, len(a)), a.dtype), np.full(10, 2)
    _comparisons(a, a, out, any_)
    assert any_.tolist() == [0, 1, 0, 1, 1, 0, 0, 1, 1, 1]


@_jit.jit
def _extremes(a, b, out, out_greatest):
    x, y, n = load(a, 0), load(b, 0), lanes(a)
    store(out, 0 * n, maximum(x, y))
    store(out, 1 * n, minimum(x, y))
    store(out, 2 * n, maximum(x, 0.0))
    store(out, 3 * n, minimum(x, 0.0))
    out_greatest[0] = max_lanes(x)


@pytest.mark.parametrize("dtype", FLOATS)
def test_extremes_keep_the_first_operand_where_it_is_nan(dtype):
    a, b = with_specials(dtype, 1)
    out, greatest = nan_poisoned((4, len(a)), dtype), nan_poisoned(1, dtype)
    _extremes(a, b, out, greatest)
    assert_same_bits(out[0], np.where(a < b, b, a))
    assert_same_bits(out[1], np.where(a > b, b, a))
    assert np.isnan(out[:, 0]).all() and not np.isnan(out[:, 1]).any()
    assert_same_bits(out[2:] + 0, np.stack([np.where(a < 0, 0, a), np.where(a > 0, 0, a)]) + 0)
    for place in range(len(a)):
        x = -np.abs(numbers(dtype, 2)) - 1
        x[place] = -0.5
        _extremes(x, b, out, greatest)
        assert greatest[0] == -0.5


@_jit.jit
def _fused(a, b, c, out):
    x, y, z, n = load(a, 0), load(b, 0), load(c, 0), lanes(a)
    store(out, 0 * n, fma(x, y, z))
    store(out, 1 * n, fma(x, y, -1.0))
    store(out, 2 * n, fma(x, 0.1, z))
    store(out, 3 * n, fma(0.1, 0.3, z))


@pytest.mark.parametrize("dtype", FLOATS)
def test_fma_rounds_once(dtype):
    eps = float(np.finfo(dtype).eps)
    a, b = np.full(lane_count(dtype), 1 + eps, dtype), np.full(lane_count(dtype), 1 - eps, dtype)
    # (1 + e)(1 - e) is 1 - e^2, which a rounded product takes for 1.
    c = np.full_like(a, -1)
    out = nan_poisoned((4, len(a)), dtype)
    _fused(a, b, c, out)
    assert_same_bits(out[:2], np.full((2, len(a)), -(eps * eps), dtype))
    tenth, third = dtype(0.1), dtype(0.3)
    wide = np.longdouble
    assert np.abs(out[2] - (a * wide(tenth) + c)).max() <= eps
    assert np.abs(out[3] - (wide(tenth) * wide(third) + c)).max() <= eps


@_jit.jit
def _integer_operators(a, b, out):
    x, y, n = load(a, 0), load(b, 0), lanes(a)
    store(out, 0 * n, x + y)
    store(out, 1 * n, x - y)
    store(out, 2 * n, x * y)
    store(out, 3 * n, x & y)
    store(out, 4 * n, x | y)
    store(out, 5 * n, x ^ y)
    store(out, 6 * n, ~x)
    store(out, 7 * n, x << 3)
    store(out, 8 * n, x >> 3)
    store(out, 9 * n, x >> (y & 15))
    store(out, 10 * n, -x)
    store(out, 11 * n, 5 + x)
    z = x
    z ^= y
    z <<= 1
    z |= 1
    z &= 1023
    z >>= 1
    store(out, 12 * n, z)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integer_operators_wrap_around(dtype):
    info = np.iinfo(dtype)
    rng = np.random.default_rng(4)
    a, b = rng.integers(info.min, info.max, (2, lane_count(dtype)), dtype, endpoint=True)
    a[0], b[0] = info.max, info.max
    a[1], b[1] = info.min, 1
    five, three = dtype(5), dtype(3)
    expected = [a + b, a - b, a * b, a & b, a | b, a ^ b, ~a, a << three, a >> three]
    expected += [a >> (b & dtype(15)), dtype(0) - a, five + a]
    expected += [((((a ^ b) << dtype(1)) | dtype(1)) & dtype(1023)) >> dtype(1)]
    out = np.zeros((len(expected), len(a)), dtype)
    _integer_operators(a, b, out)
    assert_same_bits(out, np.stack(expected))


@_jit.jit
def _copy_first(x, start, count, fill, out, out_rest, out_mask):
    value = load_first(x, start, count, fill)
    store(out, 0, value)
    store_first(out_rest, start, count, value)
    store(out_mask, 0, select(first(x, count), full(x, 1.0), 0.0))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("start", [0, 1, 5])
def test_first_lanes_alone_touch_memory(dtype, start):
    n = lane_count(dtype)
    x = nan_poisoned(start + 2 * n, dtype)
    for count in range(n + 1):
        x[:] = np.nan
        x[start : start + count] = numbers(dtype, count, n)[:count]
        out, mask = nan_poisoned(n, dtype), nan_poisoned(n, dtype)
        written = np.full_like(x, -7)
        _copy_first(x, start, count, 2.5, out, written, mask)
        assert_same_bits(out[:count], x[start : start + count])
        assert (out[count:] == 2.5).all()
        assert mask.tolist() == [1.0] * count + [0.0] * (n - count)
        assert_same_bits(written[start : start + count], x[start : start + count])
        assert (written[:start] == -7).all() and (written[start + count :] == -7).all()


@_jit.jit
def _double_row(x, start, count, out, out_fill):
    for i in range(0, count, lanes(x)):
        value = load_some(x, start + i, count - i, 2.5)
        store_some(out, start + i, count - i, 2.0 * value)
        store(out_fill, 0, value)


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_row_ends_anywhere(dtype):
    n = lane_count(dtype)
    for count in (1, n - 1, n, n + 1, 2 * n, 3 * n - 1):
        x, out, fill = nan_poisoned(4 * n, dtype), np.full(4 * n, -7, dtype), nan_poisoned(n, dtype)
        x[3 : 3 + count] = numbers(dtype, count, count)
        _double_row(x, 3, count, out, fill)
        assert_same_bits(out[3 : 3 + count], 2 * x[3 : 3 + count])
        assert (out[:3] == -7).all() and (out[3 + count :] == -7).all()
        assert (fill[-(-count % n) or n :] == 2.5).all()


@_jit.jit
def _clear(out, start, count):
    clear(out, start, count)
    return values_across(count, out)


@pytest.mark.parametrize("dtype", FLOATS)
def test_clear_writes_so_many_zeros(dtype):
    n = lane_count(dtype)
    for count in (0, 1, n, n + 1, 2 * n - 1):
        out = np.full(3 * n, -7, dtype)
        assert _clear(out, 3, count) == -(-count // n)
        assert not out[3 : 3 + count].any()
        assert (out[:3] == -7).all() and (out[3 + count :] == -7).all()


@_jit.jit
def _copy_value(x, start, out, out_start):
    store(out, out_start, load(x, start))


@pytest.mark.parametrize("dtype", FLOATS)
def test_values_lie_anywhere(dtype):
    n = lane_count(dtype)
    x = numbers(dtype, 1, 3 * n).reshape(3, n)
    for start in range(n + 1):
        out = np.full(3 * n, -7, dtype)
        _copy_value(x, start, out, n - start)
        expected = np.full(3 * n, -7, dtype)
        expected[n - start : 2 * n - start] = x.reshape(-1)[start : start + n]
        assert_same_bits(out, expected)


@_jit.jit
def _stream_all(x, out):
    for i in range(0, x.size, lanes(x)):
        stream(out, i, load(x, i))


@pytest.mark.parametrize("dtype", FLOATS)
def test_stream_writes_what_store_does(dtype):
    x = numbers(dtype, 1, 4 * lane_count(dtype))
    memory = np.empty(x.nbytes + _simd.VALUE_BYTES, np.uint8)
    start = -memory.ctypes.data % _simd.VALUE_BYTES
    out = memory[start : start + x.nbytes].view(dtype)
    out[:] = np.nan
    _stream_all(x, out)
    assert_same_bits(out, x)


@_jit.jit
def _convert(x, like, out):
    store(out, lanes(like), load_as(x, 1, like))


@_jit.jit
def _convert_back(x, out):
    store_as(out, 1, load(x, 0))


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (np.uint8, np.float32),
        (np.int32, np.float32),
        (np.uint32, np.float32),
        (np.float64, np.float32),
        (np.float32, np.float32),
        (np.uint8, np.float64),
        (np.float32, np.float64),
        (np.int64, np.float64),
    ],
)
def test_conversions(source, target):
    n = lane_count(target)
    kind = np.dtype(source).kind
    values = {
        "u": [0, 1, 7, 127, 128, 255],
        "i": [0, 1, -1, 127, -128, 70_000],
        "f": [0.1, -0.1, 1e10, 3.0, -1.0, 0.5],
    }[kind]
    x = np.resize(np.array(values, source), n + 1)
    out = nan_poisoned(2 * n, target)
    _convert(x, out, out)
    assert np.isnan(out[:n]).all()
    assert_same_bits(out[n:], x[1:].astype(target))
    back = np.full(n + 2, 99, source)
    _convert_back(out[n:], back)
    assert back[0] == 99 and back[-1] == 99
    assert_same_bits(back[1:-1], x[1:].astype(target).astype(source))


@_jit.jit
def _toward_zero(x, out):
    store_as(out, 0, load(x, 0))


@pytest.mark.parametrize("target", [np.int32, np.uint8])
def test_conversion_to_integers_drops_the_fraction(target):
    x = np.resize(np.float32([2.9, 0.2, 100.99]), lane_count(np.float32))
    x = -x if target is np.int32 else x
    out = np.zeros(len(x), target)
    _toward_zero(x, out)
    assert_same_bits(out, np.trunc(x).astype(target))


@_jit.jit
def _signs_to_bits(x, start, out_bits):
    store_bits(out_bits, start, load(x, 0) < 0)


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_masks_are_stored_as_bits(dtype):
    x = numbers(dtype, 6)
    x[::3] = -5
    packed = np.packbits(x < 0, bitorder="little")
    for byte in (0, 1, 5):
        bits = np.full(24, 99, np.uint8)
        _signs_to_bits(x, 8 * byte, bits)
        expected = np.full(24, 99, np.uint8)
        expected[byte : byte + len(packed)] = packed
        assert_same_bits(bits, expected)


@_jit.jit
def _bits_to_numbers(bits, start, like, out):
    store(out, 0, select(load_bits(bits, start, like), full(like, 1.0), 0.0))


@pytest.mark.parametrize("dtype", FLOATS)
def test_bits_are_lanes_lowest_first(dtype):
    n = lane_count(dtype)
    bits = np.random.default_rng(5).integers(0, 256, 16, np.uint8)
    out = nan_poisoned(n, dtype)
    for start in (0, n, 8, 40):
        _bits_to_numbers(bits, start, out, out)
        expected = np.unpackbits(bits, bitorder="little")[start : start + n]
        assert_same_bits(out, expected.astype(dtype))


@_jit.jit
def _sum(x, out_sum):
    out_sum[0] = sum_lanes(load(x, 0))


@pytest.mark.parametrize("dtype", FLOATS)
def test_sum_lanes_folds_halves_in_float64(dtype):
    for seed in range(20):
        x = numbers(dtype, seed)
        x[1] = 1e8
        folded, total = x.astype(np.float64), nan_poisoned(1, np.float64)
        while len(folded) > 1:
            folded = folded[: len(folded) // 2] + folded[len(folded) // 2 :]
        _sum(x, total)
        assert_same_bits(total, folded)


@_jit.jit
def _scale(a, exponents, out):
    store(out, 0, times_power_of_two(load(a, 0), load(exponents, 0)))


@pytest.mark.parametrize(("dtype", "most"), [(np.float32, 120), (np.float64, 1000)])
def test_times_power_of_two(dtype, most):
    a = numbers(dtype, 1)
    exponents = np.linspace(-most, most, len(a)).round().astype(dtype)
    out = nan_poisoned(len(a), dtype)
    _scale(np.copysign(1.5, a), exponents, out)
    assert_same_bits(out, np.ldexp(np.copysign(dtype(1.5), a), exponents.astype(int)))


@_jit.jit
def _describe(x, out):
    out[0] = lanes(x)
    out[1] = is_double(x)
    out[2] = is_double(load(x, 0))


@pytest.mark.parametrize("dtype", FLOATS)
def test_types_are_known_to_the_compiler(dtype):
    out = np.zeros(3, np.int64)
    _describe(numbers(dtype, 1), out)
    assert out.tolist() == [lane_count(dtype), dtype is np.float64, dtype is np.float64]


def test_lanes_follow_from_the_features_that_are_compiled_for(monkeypatch):
    given = narrow_features({"avx2": True, "fma": True, "sse2": True, "avx512f": True})
    assert given == "+avx2,-avx512f,+fma,+sse2"
    assert narrow_features({"avx2": True, "avx512f": False}) == ""
    for features, size in ((given, 32), ("+sse2,+avx512f", 64), ("+avx2,-avx2", 16), ("", 16)):
        monkeypatch.setattr(vector.config, "CPU_FEATURES", features)
        assert vector._register_bytes() == size
