"""Which algorithm multiplies, with which scratch. The arrays have been checked."""

import numpy as np

from kernels import _jit, _memory
from kernels._simd import REGISTER_BYTES, VALUE_BYTES
from kernels._tile import TILE_ROWS, panel_columns
from kernels.matmul import cpu, cpu_direct, cpu_rows
from kernels.matmul.cpu_direct import SERIAL

# Packing A pays if it does not fit in L2 and is multiplied by more than two panels of columns.
DIRECT_A, DIRECT_PANELS = 1 << 15, 2

# By the size of an element: hashing a dtype takes long. Its first row is an empty vector.
_NOTHING: dict[int, np.ndarray] = {4: np.empty((1, 0), np.float32), 8: np.empty((1, 0), np.float64)}

# With so many times more rows than B has rows or columns, A is multiplied as it lies, unless the
# sums are longer than this.
TALL, TALL_DEPTH = 4, 1 << 9

# The direct algorithm keeps panels of B in whole, one for each thread.
DIRECT_DEPTH = 1 << 12


def multiply(
    a: np.ndarray,
    b: np.ndarray,
    bias: np.ndarray,
    transpose_a: bool,
    transpose_b: bool,
    relu: bool,
    y: np.ndarray,
) -> None:
    """y = op(a) op(b) + bias for matrices, none of them empty."""
    m, n = y.shape
    depth = a.size // m
    if m * n * depth <= SERIAL and depth <= DIRECT_DEPTH:
        work = np.empty((1, _direct_scratch(depth, a.itemsize)), a.dtype)
        # By position: keywords would take half as long as the smallest products do.
        cpu_direct.fill_shares(1, a, b, bias, transpose_a, transpose_b, relu, 1, 1, work, y)
    elif not transpose_a and _tall(m, depth, n, a.itemsize):
        cpu_rows.product(
            a=a,
            b=b,
            bias=bias,
            transpose_b=transpose_b,
            relu=relu,
            **rows_scratch(depth, n, a.dtype),
            out_y=y,
        )
    elif not _direct(m, depth, n, a.itemsize):
        cpu.product(
            a=a,
            b=b,
            bias=bias,
            transpose_a=transpose_a,
            transpose_b=transpose_b,
            relu=relu,
            **packed_scratch(m, depth, a.dtype),
            out_y=y,
        )
    else:
        cpu_direct.product(
            a=a,
            b=b,
            bias=bias,
            transpose_a=transpose_a,
            transpose_b=transpose_b,
            relu=relu,
            work=direct_scratch(depth, a.dtype),
            out_y=y,
        )


def gradients_together(m: int, depth: int, n: int) -> bool:
    """Whether all gradients of a product are so small that they are computed in one call."""
    return 0 < m * n * depth <= SERIAL and max(m, n, depth) <= DIRECT_DEPTH


def gradients(
    dy: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    y: np.ndarray | None,
    transpose_a: bool,
    transpose_b: bool,
    needs: tuple[bool, bool, bool],
    out_db: np.ndarray | None = None,
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """Of a, b and bias, for matrices; None where not needed. b's in `out_db` if that is given."""
    m, n = dy.shape
    dtype = dy.dtype
    nothing = _NOTHING[dy.itemsize]
    da = np.empty(a.shape, dtype) if needs[0] else None
    db = None
    if needs[1]:
        db = np.empty(b.shape, dtype) if out_db is None else out_db
    dbias = np.empty(n, dtype) if needs[2] else None
    work = np.empty(_direct_scratch(max(m, n), dy.itemsize) + dy.size, dtype)
    cpu_direct.backward_serial(
        dy,
        nothing if y is None else y,
        a,
        b,
        transpose_a,
        transpose_b,
        work,
        nothing if da is None else da,
        nothing if db is None else db,
        nothing[0] if dbias is None else dbias,
    )
    return da, db, dbias


def multiply_stacks(
    a: np.ndarray,
    b: np.ndarray,
    bias: np.ndarray,
    a_items: np.ndarray,
    b_items: np.ndarray,
    transpose_a: bool,
    transpose_b: bool,
    relu: bool,
    y: np.ndarray,
) -> None:
    """y[i] = op(a[a_items[i]]) op(b[b_items[i]]) + bias for stacks, none of them empty."""
    items, m, n = y.shape
    depth = a.shape[1] * a.shape[2] // m
    few = items < cpu.TASKS and m * n * depth > SERIAL
    if few or not _direct(m, depth, n, a.itemsize):
        for i, j, item in zip(a_items, b_items, y, strict=True):
            multiply(a[i], b[j], bias, transpose_a, transpose_b, relu, item)
        return
    cpu_direct.product_stacks(
        a=a,
        b=b,
        bias=bias,
        a_items=a_items,
        b_items=b_items,
        transpose_a=transpose_a,
        transpose_b=transpose_b,
        relu=relu,
        work=direct_scratch(depth, a.dtype),
        out_y=y,
    )


def packed_scratch(m: int, depth: int, dtype: np.dtype) -> dict[str, np.ndarray]:
    """What `cpu` works in: A packed, a panel of B and a tile for each thread."""
    threads, width = _jit.thread_rows(), panel_columns(dtype)
    return {
        "work_a": _memory.empty(-(-m // TILE_ROWS) * TILE_ROWS * depth, dtype),
        "work_b": _memory.empty((threads, min(depth, cpu.DEPTH) * width), dtype),
        "work_spare": _memory.empty((threads, TILE_ROWS * width), dtype),
    }


def rows_scratch(depth: int, n: int, dtype: np.dtype) -> dict[str, np.ndarray]:
    """What `cpu_rows` works in: B packed, and a block of sums for each thread."""
    sums = cpu_rows.ROWS * n if depth > cpu.DEPTH else 0
    return {
        "work_b": _memory.empty(depth * n, dtype),
        "work_sums": _memory.empty((_jit.thread_rows(), sums), dtype),
    }


def direct_scratch(depth: int, dtype: np.dtype) -> np.ndarray:
    """What `cpu_direct` works in: a tile and a panel of B for each thread."""
    return _memory.empty((_jit.thread_rows(), _direct_scratch(depth, dtype.itemsize)), dtype)


def _direct_scratch(depth: int, itemsize: int) -> int:
    registers = cpu_direct.WORK_SUMS + cpu_direct.WORK_PANEL * depth
    return registers * REGISTER_BYTES // itemsize


def _direct(m: int, depth: int, n: int, itemsize: int) -> bool:
    narrow = n * itemsize <= DIRECT_PANELS * 3 * REGISTER_BYTES
    return depth <= DIRECT_DEPTH and (narrow or m * depth <= DIRECT_A)


def _tall(m: int, depth: int, n: int, itemsize: int) -> bool:
    whole = n * itemsize % VALUE_BYTES == 0
    return whole and m >= TALL * max(n, depth) and depth <= TALL_DEPTH
