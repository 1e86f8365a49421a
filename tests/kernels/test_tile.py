"""Register tiles: products, dot products and copies at every remainder, and their machine code."""

import re

import numba
import numpy as np
import pytest

from kernels import _jit, _simd, _tile
from kernels._tile import (
    TILE_ROWS,
    TILE_VECTORS,
    copy,
    copy_every_second,
    copy_shifted,
    copy_tile_column,
    copy_tile_row,
    dot_tile,
    multiply_block,
    multiply_tile_3,
    transpose_rows,
    transpose_square,
    window_dot_tile,
    window_tile_1,
    window_tile_3,
)
from tests.helpers import assert_close, assert_same_bits, nan_poisoned

FLOATS = [(np.float32, 1e-6), (np.float64, 1e-14)]
DTYPES = [np.float32, np.float64]


def register(dtype):
    return _simd.REGISTER_BYTES // np.dtype(dtype).itemsize


def normal(shape, dtype, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def packed_rows(a):
    """A (rows, depth) as row blocks (depth, TILE_ROWS), zeros below the last row."""
    rows, depth = a.shape
    padded = np.zeros((-(-rows // TILE_ROWS) * TILE_ROWS, depth), a.dtype)
    padded[:rows] = a
    return padded.reshape(-1, TILE_ROWS, depth).transpose(0, 2, 1).copy()


@_jit.jit
def _transpose(x, out_square, out_rows):
    step = x.shape[1]
    transpose_square(x, 1, step, out_square, 2, out_square.shape[1])
    transpose_rows(x, 1, step, out_rows, 2, out_rows.shape[1])


@pytest.mark.parametrize("dtype", DTYPES)
def test_transposes(dtype):
    lanes = register(dtype)
    x = normal((max(lanes, TILE_ROWS) + 1, lanes + 3), dtype)
    square, rows = (nan_poisoned((lanes, count + 5), dtype) for count in (lanes, TILE_ROWS))
    _transpose(x, square, rows)
    for out, count in ((square, lanes), (rows, TILE_ROWS)):
        assert_same_bits(out[:, 2 : 2 + count], x[:count, 1 : 1 + lanes].T)
        assert np.isnan(out[:, :2]).all() and np.isnan(out[:, 2 + count :]).all()


@_jit.jit
def _copies(x, start, out_copy, out_shifted, to, count, shift, least, out_sum):
    copy(x, start, out_copy, to, count)
    copy_shifted(x, start, out_shifted, to, count, shift, least)
    _tile.accumulate(x, start, out_sum, to, count)


@pytest.mark.parametrize("dtype", DTYPES)
def test_copies_of_every_length(dtype):
    x = normal(64, dtype)
    for count in range(41):
        copied, shifted = nan_poisoned(64, dtype), nan_poisoned(64, dtype)
        summed = np.ones(64, dtype)
        _copies(x, 3, copied, shifted, 5, count, dtype(0.5), dtype(0.25), summed)
        inside, source = slice(5, 5 + count), x[3 : 3 + count]
        outside = np.ones(64, bool)
        outside[inside] = False
        assert_same_bits(copied[inside], source)
        assert_same_bits(shifted[inside], np.maximum(source + dtype(0.5), dtype(0.25)))
        assert_same_bits(summed[inside], source + 1)
        assert np.isnan(copied[outside]).all() and np.isnan(shifted[outside]).all()
        assert (summed[outside] == 1).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_shifted_copy_keeps_nan(dtype):
    for count in (3, 40):
        x = np.full(64, np.nan, dtype)
        x[3] = -5
        out = np.zeros(64, dtype)
        _copies(x, 3, out.copy(), out, 0, count, dtype(1), dtype(0), out.copy())
        assert out[0] == 0 and np.isnan(out[1:count]).all()
        _copies(x, 3, out.copy(), out, 0, count, dtype(1), dtype(-np.inf), out.copy())
        assert out[0] == -4


@_jit.jit
def _every_second(source, start, out, out_start, count):
    copy_every_second(source, start, out, out_start, count)


@_jit.jit
def _tile_copies(source, out_row, out_column):
    copy_tile_row(source, 2, out_row, 1)
    copy_tile_column(source, 3, out_column, 1)


@pytest.mark.parametrize("dtype", DTYPES)
def test_copy_of_every_second_element_reads_and_writes_no_more(dtype):
    x = normal((100,), dtype)
    for count in range(41):
        # Nothing lies behind the last element that is read.
        source = x[: 3 + max(2 * count - 1, 0)].copy()
        out = np.ones(64, dtype)
        _every_second(source, 3, out, 5, count)
        assert_same_bits([out[5 : 5 + count]], [x[3:][: 2 * count : 2]])
        assert (out[:5] == 1).all() and (out[5 + count :] == 1).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_copies_of_a_tile_s_rows_and_columns(dtype):
    x, width = normal((100,), dtype), TILE_VECTORS * register(dtype)
    row, column = np.ones(width + 2, dtype), np.ones(TILE_ROWS + 2, dtype)
    _tile_copies(x, row, column)
    assert_same_bits([row[1:-1], column[1:-1]], [x[2 : 2 + width], x[3 : 3 + TILE_ROWS]])
    assert row[0] == row[-1] == column[0] == column[-1] == 1


@_jit.jit
def _dots(length, a, b, offsets, out_even, out_window):
    dot_tile(length, a, 1, a.shape[1], b, 2, b.shape[1], out_even, 1, out_even.shape[1])
    places = (offsets[0], offsets[1], offsets[2])
    window_dot_tile(length, a, 1, a.shape[1], b, 2, places, out_window, 1, out_window.shape[1])


@pytest.mark.parametrize(("dtype", "tolerance"), FLOATS)
def test_dot_tiles_add_to_float64(dtype, tolerance):
    for registers in (1, 2, 7):
        length = registers * register(dtype)
        a, b = normal((TILE_ROWS, length + 3), dtype), normal((TILE_VECTORS, length + 5), dtype, 1)
        offsets = np.array([7, 0, 3])
        even, window = np.ones((2, TILE_ROWS, TILE_VECTORS + 2))
        even[:, 0] = even[:, -1] = window[:, 0] = window[:, -1] = np.nan
        _dots(length, a, b, offsets, even, window)
        left = a[:, 1 : 1 + length].astype(np.float64)
        expected = 1 + left @ b[:, 2 : 2 + length].T.astype(np.float64)
        assert_close(even[:, 1:-1], expected, 4 * tolerance)
        windows = np.stack([b.reshape(-1)[2 + at : 2 + at + length] for at in offsets])
        assert_close(window[:, 1:-1], 1 + left @ windows.T.astype(np.float64), 4 * tolerance)
        for out in (even, window):
            assert np.isnan(out[:, 0]).all() and np.isnan(out[:, -1]).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_dot_tile_sums_lanes_by_halves(dtype):
    """Which lanes meet is fixed: numbers of all magnitudes show any other order."""
    lanes = register(dtype)
    a = np.ones((TILE_ROWS, lanes + 3), dtype)
    b = normal((TILE_VECTORS, lanes + 5), dtype, 2) * dtype(10) ** np.arange(lanes + 5).astype(
        dtype
    )
    even, window = np.zeros((2, TILE_ROWS, TILE_VECTORS + 2))
    _dots(lanes, a, b, np.array([0, 1, 2]), even, window)
    folded = b[:, 2 : 2 + lanes]
    while folded.shape[1] > 1:
        half = folded.shape[1] // 2
        folded = folded[:, :half] + folded[:, half:]
    for row in even:
        assert_same_bits(row[1:-1], folded[:, 0].astype(np.float64))


@_jit.jit
def _windows(depth, a, b, offsets, out_narrow, out_wide, add):
    window_tile_1(depth, a, 0, b, 1, offsets, out_narrow, 1, out_narrow.shape[1], add)
    window_tile_3(depth, a, 0, b, 1, offsets, out_wide, 1, out_wide.shape[1], add)


@pytest.mark.parametrize(("dtype", "tolerance"), FLOATS)
def test_window_tiles(dtype, tolerance):
    lanes = register(dtype)
    for depth in (1, 2, 19):
        a, b = normal((TILE_ROWS, depth), dtype), normal(200, dtype, 1)
        offsets = np.random.default_rng(depth).integers(0, 100, depth)
        outs = [nan_poisoned((TILE_ROWS, count * lanes + 3), dtype) for count in (1, 3)]
        for repeats in (1, 2, 3):
            _windows(depth, packed_rows(a), b, offsets, *outs, repeats > 1)
            for out in outs:
                width = out.shape[1] - 3
                rows = np.stack([b[1 + at : 1 + at + width] for at in offsets])
                expected = repeats * (a.astype(np.float64) @ rows.astype(np.float64))
                assert_close(out[:, 1:-2], expected, 4 * tolerance)
                assert np.isnan(out[:, 0]).all() and np.isnan(out[:, -2:]).all()


@_jit.jit
def _block(depth, rows, columns, a, b, panel, out_c, step, add, work_spare):
    multiply_block(
        depth, rows, columns, a, 0, b, 0, panel // depth, panel, out_c, 1, step, add, work_spare
    )


@pytest.mark.parametrize(("dtype", "tolerance"), FLOATS)
def test_block_at_every_remainder(dtype, tolerance):
    width, depth = TILE_VECTORS * register(dtype), 5
    panels = -(-49 // width)
    a, b = normal((9, depth), dtype), normal((depth, panels * width), dtype, 1)
    by_panel = b.reshape(depth, panels, width).transpose(1, 0, 2).copy()
    product = a.astype(np.float64) @ b.astype(np.float64)
    for rows in range(1, 10):
        blocks = packed_rows(a[:rows])
        for columns in range(1, 50):
            out = nan_poisoned((rows, columns + 2), dtype)
            spare = nan_poisoned(TILE_ROWS * width, dtype)
            for repeats in (1, 2, 3):
                _block(
                    depth, rows, columns, blocks, by_panel, depth * width, out, columns + 2,
                    repeats > 1, spare,
                )  # fmt: skip
                assert_close(out[:, 1:-1], repeats * product[:rows, :columns], 4 * tolerance)
                assert np.isnan(out[:, 0]).all() and np.isnan(out[:, -1]).all()


def _multiply(depth, a, b, b_step, c, c_step):
    multiply_tile_3(depth, a, 0, b, 0, b_step, c, 0, c_step, False)


def _window(depth, a, b, offsets, c, c_step):
    window_tile_3(depth, a, 0, b, 0, offsets, c, 0, c_step, False)


def _dot(length, a, step, b, c):
    dot_tile(length, a, 0, step, b, 0, step, c, 0, 3)


FUSED = re.compile(r"vfmadd\w+p[sd]\b|\bfmla\b")
# A vector register and an address on the stack, or one stored anywhere.
MOVED_OUT = re.compile(r"[xyz]mm\d+.*\(%rsp|\(%rsp.*[xyz]mm|[xyz]mm\d+, [^,]*\(%")


def sum_loop(function, signature):
    """The instructions of the loop over the sum, from its label to the branch back.

    Compiled here and not kept: what comes from the cache has no machine code to read.
    """
    dispatcher = numba.njit(nogil=True, fastmath=_jit.FASTMATH)(function)
    dispatcher.compile(signature)
    lines = next(iter(dispatcher.inspect_asm().values())).splitlines()
    labels, loops = {}, []
    for place, line in enumerate(lines):
        label = re.match(r"(\.?\w+):", line)
        branch = re.match(r"\s+(?:j\w+|b\.\w+|cbnz\s.*,)\s+(\.?\w+)$", line)
        if label:
            labels[label[1]] = place
        elif branch and branch[1] in labels:
            loops.append(lines[labels[branch[1]] : place])
    return next(loop for loop in loops if any(map(FUSED.search, loop)))


@pytest.mark.parametrize("scalar", ["float32", "float64"])
@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (_multiply, "int64, {0}[::1], {0}[::1], int64, {0}[::1], int64"),
        (_window, "int64, {0}[::1], {0}[::1], int64[::1], {0}[::1], int64"),
        (_dot, "int64, {0}[::1], int64, {0}[::1], float64[::1]"),
    ],
    ids=["multiply", "window", "dot"],
)
def test_sums_stay_in_registers(function, arguments, scalar):
    loop = sum_loop(function, f"void({arguments.format(scalar)})")
    fused = [line for line in loop if FUSED.search(line)]
    # LLVM may unroll the loop.
    assert len(fused) % (TILE_ROWS * TILE_VECTORS) == 0, "\n".join(loop)
    assert not [line for line in loop if MOVED_OUT.search(line)], "\n".join(loop)
