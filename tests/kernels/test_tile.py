"""Register tiles: products, dot products and copies at every remainder, and their machine code."""

import re

import numba
import numpy as np
import pytest

from kernels import _jit, _simd, _tile
from kernels._tile import (
    GATHER_ROWS,
    GATHER_VECTORS,
    MR,
    NR_REGISTERS,
    copy,
    copy_tile_column,
    copy_tile_row,
    dot_tile,
    gather_tile,
    macro_kernel,
    micro_kernel,
    multiply_rows,
    transpose_rows,
    transpose_square,
)
from tests.helpers import assert_close, assert_same_bits, nan_poisoned

FLOATS = [(np.float32, 1e-6), (np.float64, 1e-14)]
DTYPES = [np.float32, np.float64]


def register(dtype):
    return _simd.REGISTER_BYTES // np.dtype(dtype).itemsize


def normal(shape, dtype, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def packed_rows(a):
    """A (rows, depth) as row blocks (depth, MR), zeros below the last row."""
    rows, depth = a.shape
    padded = np.zeros((-(-rows // MR) * MR, depth), a.dtype)
    padded[:rows] = a
    return padded.reshape(-1, MR, depth).transpose(0, 2, 1).copy()


@_jit.jit
def _transpose(x, out_square, out_rows):
    step = x.shape[1]
    transpose_square(x, 1, step, out_square, 2, out_square.shape[1])
    transpose_rows(x, 1, step, out_rows, 2, out_rows.shape[1])


@pytest.mark.parametrize("dtype", DTYPES)
def test_transposes(dtype):
    lanes = register(dtype)
    x = normal((max(lanes, MR) + 1, lanes + 3), dtype)
    square, rows = (nan_poisoned((lanes, count + 5), dtype) for count in (lanes, MR))
    _transpose(x, square, rows)
    for out, count in ((square, lanes), (rows, MR)):
        assert_same_bits(out[:, 2 : 2 + count], x[:count, 1 : 1 + lanes].T)
        assert np.isnan(out[:, :2]).all() and np.isnan(out[:, 2 + count :]).all()


@_jit.jit
def _copies(x, start, out_copy, to, count, out_sum):
    copy(x, start, out_copy, to, count)
    _tile.accumulate(x, start, out_sum, to, count)


@pytest.mark.parametrize("dtype", DTYPES)
def test_copies_of_every_length(dtype):
    x = normal(64, dtype)
    for count in range(41):
        copied, summed = nan_poisoned(64, dtype), np.ones(64, dtype)
        _copies(x, 3, copied, 5, count, summed)
        inside, source = slice(5, 5 + count), x[3 : 3 + count]
        outside = np.ones(64, bool)
        outside[inside] = False
        assert_same_bits(copied[inside], source)
        assert_same_bits(summed[inside], source + 1)
        assert np.isnan(copied[outside]).all()
        assert (summed[outside] == 1).all()


@_jit.jit
def _tile_copies(source, out_row, out_column):
    copy_tile_row(source, 2, out_row, 1)
    copy_tile_column(source, 3, out_column, 1)


@pytest.mark.parametrize("dtype", DTYPES)
def test_copies_of_a_tile_s_rows_and_columns(dtype):
    x, width = normal((100,), dtype), NR_REGISTERS * register(dtype)
    row, column = np.ones(width + 2, dtype), np.ones(MR + 2, dtype)
    _tile_copies(x, row, column)
    assert_same_bits([row[1:-1], column[1:-1]], [x[2 : 2 + width], x[3 : 3 + MR]])
    assert row[0] == row[-1] == column[0] == column[-1] == 1


@_jit.jit
def _dots(length, a, b, out):
    dot_tile(length, a, 1, a.shape[1], b, 2, b.shape[1], out, 1, out.shape[1])


@pytest.mark.parametrize(("dtype", "tolerance"), FLOATS)
def test_dot_tiles_add_to_float64(dtype, tolerance):
    for registers in (1, 2, 7):
        length = registers * register(dtype)
        a, b = normal((MR, length + 3), dtype), normal((NR_REGISTERS, length + 5), dtype, 1)
        out = np.ones((MR, NR_REGISTERS + 2))
        out[:, 0] = out[:, -1] = np.nan
        _dots(length, a, b, out)
        left = a[:, 1 : 1 + length].astype(np.float64)
        expected = 1 + left @ b[:, 2 : 2 + length].T.astype(np.float64)
        assert_close(out[:, 1:-1], expected, 4 * tolerance)
        assert np.isnan(out[:, 0]).all() and np.isnan(out[:, -1]).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_dot_tile_sums_lanes_by_halves(dtype):
    """Which lanes meet is fixed: numbers of all magnitudes show any other order."""
    lanes = register(dtype)
    a = np.ones((MR, lanes + 3), dtype)
    b = normal((NR_REGISTERS, lanes + 5), dtype, 2) * dtype(10) ** np.arange(lanes + 5).astype(
        dtype
    )
    out = np.zeros((MR, NR_REGISTERS + 2))
    _dots(lanes, a, b, out)
    folded = b[:, 2 : 2 + lanes]
    while folded.shape[1] > 1:
        half = folded.shape[1] // 2
        folded = folded[:, :half] + folded[:, half:]
    for row in out:
        assert_same_bits(row[1:-1], folded[:, 0].astype(np.float64))


@_jit.jit
def _gather(depth, a, places, offsets, b, out_narrow, out_wide, add):
    gather_tile(1, depth, a, 1, places, 2, offsets, 3, b, 1, out_narrow, 1, add)
    gather_tile(2, depth, a, 1, places, 2, offsets, 3, b, 1, out_wide, 1, add)


@pytest.mark.parametrize("wide_sums", [False, True])
@pytest.mark.parametrize(("dtype", "tolerance"), FLOATS)
def test_gather_tiles(dtype, tolerance, wide_sums):
    lanes = register(dtype)
    for depth in (1, 2, 19):
        a, rng = normal(200, dtype), np.random.default_rng(depth)
        places, offsets = rng.integers(0, 90, 2 + GATHER_ROWS), rng.integers(0, 90, 3 + depth)
        values = a[1 + places[2:, None] + offsets[3:]].astype(np.float64)
        b = normal(1 + depth * GATHER_VECTORS * lanes, dtype, 1)
        kind = np.float64 if wide_sums else dtype
        outs = [nan_poisoned(GATHER_ROWS * count * lanes + 3, kind) for count in (1, 2)]
        for repeats in (1, 2, 3):
            if wide_sums and repeats == 1:
                for out in outs:
                    out[1:-2] = 0
            _gather(depth, a, places, offsets, b, *outs, repeats > 1)
            for count, out in enumerate(outs, 1):
                rows = b[1 : 1 + depth * count * lanes].reshape(depth, -1).astype(np.float64)
                assert_close(out[1:-2], (repeats * values @ rows).reshape(-1), 4 * tolerance)
                assert np.isnan(out[0]) and np.isnan(out[-2:]).all()


@_jit.jit
def _rows(rows, depth, a, a_place, b, panels, out, out_row, add):
    panel = 2 * register_lanes(out)
    multiply_rows(
        rows, depth, a, a_place, b, (1, depth * panel), panels, out, (2, out_row, panel), add
    )


@_jit.jit
def register_lanes(array):
    return _tile.tile_lanes(array)


@pytest.mark.parametrize(("dtype", "tolerance"), FLOATS)
def test_i1_rows_at_every_remainder(dtype, tolerance):
    """Rows as they lie or across, set or added to; nothing beside C is touched."""
    panel = 2 * register(dtype)
    for rows in (*range(9), 2 * _tile.ROWS_HIGH + 1):
        for depth, panels in ((1, 1), (7, 4), (300, 6)):
            a = normal((rows, depth), dtype)
            b, c = (
                normal((panels, depth, panel), dtype, 1),
                normal((rows, panels * panel), dtype, 2),
            )
            product = np.einsum("rk,pkj->rpj", a.astype(np.float64), b).reshape(c.shape)
            flat_b = np.concatenate([[0], b.ravel()]).astype(dtype)
            for across in (False, True):
                flat_a = np.ascontiguousarray(a.T if across else a).ravel()
                place = (0, 1, rows) if across else (0, depth, 1)
                for add in (False, True):
                    out = nan_poisoned((rows + 1, c.shape[1] + 3), dtype)
                    out[:rows, 2:-1] = c if add else np.nan
                    _rows(
                        rows,
                        depth,
                        flat_a,
                        place,
                        flat_b,
                        panels,
                        out.reshape(-1),
                        out.shape[1],
                        add,
                    )
                    expected = product + c if add else product
                    assert_close(out[:rows, 2:-1], expected, 4 * tolerance * depth**0.5)
                    out[:rows, 2:-1] = np.nan
                    assert np.isnan(out).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_i1_a_row_does_not_depend_on_the_others_nor_on_how_its_sum_is_cut(dtype):
    panel, depth, panels = 2 * register(dtype), 600, 5
    a, b = normal((13, depth), dtype), normal((panels, depth, panel), dtype, 1)
    flat_b = np.concatenate([[0], b.ravel()]).astype(dtype)
    every = np.zeros((13, panels * panel + 2), dtype)
    _rows(
        13,
        depth,
        a.ravel(),
        (0, depth, 1),
        flat_b,
        panels,
        every.reshape(-1),
        every.shape[1],
        False,
    )
    for first, rows in ((0, 1), (5, 2), (4, 3), (8, 5)):
        some = np.zeros((rows, every.shape[1]), dtype)
        for low, high in ((0, 1), (1, 256), (256, depth)):
            part = np.concatenate([[0], b[:, low:high].ravel()]).astype(dtype)
            _rows(
                rows,
                high - low,
                a.ravel(),
                (first * depth + low, depth, 1),
                part,
                panels,
                some.reshape(-1),
                some.shape[1],
                low > 0,
            )
        assert_same_bits(some, every[first : first + rows])


@_jit.jit
def _block(depth, rows, columns, a, b, panel, out_c, step, add, work_spare):
    macro_kernel(
        depth, rows, columns, a, 0, b, 0, panel // depth, panel, out_c, 1, step, add, work_spare
    )


@pytest.mark.parametrize(("dtype", "tolerance"), FLOATS)
def test_block_at_every_remainder(dtype, tolerance):
    width, depth = NR_REGISTERS * register(dtype), 5
    panels = -(-49 // width)
    a, b = normal((9, depth), dtype), normal((depth, panels * width), dtype, 1)
    by_panel = b.reshape(depth, panels, width).transpose(1, 0, 2).copy()
    product = a.astype(np.float64) @ b.astype(np.float64)
    for rows in range(1, 10):
        blocks = packed_rows(a[:rows])
        for columns in range(1, 50):
            out = nan_poisoned((rows, columns + 2), dtype)
            spare = nan_poisoned(MR * width, dtype)
            for repeats in (1, 2, 3):
                _block(
                    depth, rows, columns, blocks, by_panel, depth * width, out, columns + 2,
                    repeats > 1, spare,
                )  # fmt: skip
                assert_close(out[:, 1:-1], repeats * product[:rows, :columns], 4 * tolerance)
                assert np.isnan(out[:, 0]).all() and np.isnan(out[:, -1]).all()


def _multiply(depth, a, b, b_step, c, c_step):
    micro_kernel(NR_REGISTERS, depth, a, 0, b, 0, b_step, c, 0, c_step, False)


def _gather_wide(depth, a, b, offsets, c, place):
    gather_tile(2, depth, a, 0, offsets, place, offsets, 0, b, 0, c, 0, False)


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
    ("function", "arguments", "sums"),
    [
        (
            _multiply,
            "int64, {0}[::1], {0}[::1], int64, {0}[::1], int64",
            MR * NR_REGISTERS,
        ),
        (
            _gather_wide,
            "int64, {0}[::1], {0}[::1], int64[::1], {0}[::1], int64",
            GATHER_ROWS * GATHER_VECTORS,
        ),
        (_dot, "int64, {0}[::1], int64, {0}[::1], float64[::1]", MR * NR_REGISTERS),
    ],
    ids=["multiply", "gather", "dot"],
)
def test_sums_stay_in_registers(function, arguments, sums, scalar):
    loop = sum_loop(function, f"void({arguments.format(scalar)})")
    fused = [line for line in loop if FUSED.search(line)]
    # LLVM may unroll the loop.
    assert len(fused) % sums == 0, "\n".join(loop)
    assert not [line for line in loop if MOVED_OUT.search(line)], "\n".join(loop)
