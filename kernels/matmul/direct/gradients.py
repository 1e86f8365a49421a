"""All gradients of a small product in one call: its launches would take longer than its sums."""

import numpy as np

from kernels._jit import jit
from kernels._simd import REGISTER_BYTES
from kernels.matmul.direct.cpu import WORK_PANEL, WORK_SUMS, product_alone

# By the size of an element: hashing a dtype takes long. Its first row is an empty vector.
_NOTHING: dict[int, np.ndarray] = {4: np.empty((1, 0), np.float32), 8: np.empty((1, 0), np.float64)}


def gradients_together(
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
    registers = WORK_SUMS + WORK_PANEL * max(m, n)
    _gradients(
        dy,
        nothing if y is None else y,
        a,
        b,
        transpose_a,
        transpose_b,
        np.empty(registers * REGISTER_BYTES // dy.itemsize + dy.size, dtype),
        nothing if da is None else da,
        nothing if db is None else db,
        nothing[0] if dbias is None else dbias,
    )
    return da, db, dbias


@jit
def _gradients(dy, y, a, b, transpose_a, transpose_b, work, out_da, out_db, out_dbias):
    """An output without elements is not computed.

    y          (M, N) where it was rectified, else without elements
    work       of one thread, as in `product` for the longest sum, and M N elements behind it
    out_da     like a or empty, out_db like b or empty, out_dbias (N,) or (0,)
    """
    rows, columns = dy.shape
    masked, no_bias = work.size - rows * columns, work[:0]
    if y.size:
        flat_dy, flat_y = dy.reshape(-1), y.reshape(-1)
        for i in range(rows * columns):
            work[masked + i] = flat_dy[i] if flat_y[i] > 0.0 else 0.0
        dy = work[masked:].reshape(rows, columns)
    if out_dbias.size:
        _sum_columns(dy.reshape(-1), rows, out_dbias)
    if out_da.size:
        if transpose_a:
            product_alone(b, dy, no_bias, transpose_b, True, False, work, out_da)
        else:
            product_alone(dy, b, no_bias, False, not transpose_b, False, work, out_da)
    if out_db.size:
        if transpose_b:
            product_alone(dy, a, no_bias, True, transpose_a, False, work, out_db)
        else:
            product_alone(a, dy, no_bias, not transpose_a, False, False, work, out_db)


@jit
def _sum_columns(dy, rows, out_dbias):
    """Four columns at a time, since each addition waits for the one before."""
    columns = out_dbias.size
    whole = columns - columns % 4
    for j in range(0, whole, 4):
        first, second, third, fourth = 0.0, 0.0, 0.0, 0.0
        for at in range(j, j + rows * columns, columns):
            first += dy[at]
            second += dy[at + 1]
            third += dy[at + 2]
            fourth += dy[at + 3]
        out_dbias[j], out_dbias[j + 1] = first, second
        out_dbias[j + 2], out_dbias[j + 3] = third, fourth
    for j in range(whole, columns):
        total = 0.0
        for i in range(rows):
            total += dy[i * columns + j]
        out_dbias[j] = total
