"""The matrix product for a tall A: its rows as they lie, B packed once for all of them.

A tall A is worth no packing, each of its numbers is used for few columns. B, small beside it, is
packed into panels of 2 registers; tasks are blocks of rows, so that what a task reads of A comes
from memory once and stays near for all panels. The sum over K is cut at KC as in `packed`, so both
give the same bits.
"""

from kernels._jit import parallel, thread_id
from kernels._simd import VALUE_BYTES, lanes
from kernels._tile import KC, accumulate, epilogue, multiply_rows, pack_panel

# Rows of a task: small enough that their part of C stays in L2 until it is finished.
ROWS = 48


def product(a, b, bias, transpose_a, transpose_b, relu, work_b, work_sums, out_y):
    """out_y = a op(b) + bias, rectified where `relu`; an empty bias adds nothing.

    a            (M, K)
    b            (K, N), or (N, K) where `transpose_b`; N whole panels of 2 registers
    bias         (N,) or (0,)
    transpose_a  False
    work_b       (K N,)
    work_sums    (threads, ROWS N), of which nothing is used where K is at most KC
    out_y        (M, N)

    2 M N K flops; M K + K N + M N elements to and from memory. Parallel over panels of B, then
    over blocks of rows.
    """
    rows, columns = out_y.shape
    _pack_b(columns * out_y.itemsize // VALUE_BYTES, b, transpose_b, work_b)
    _fill_rows(-(-rows // ROWS), a, bias, relu, work_b, work_sums, out_y)


@parallel
def _pack_b(panel, b, transpose_b, work_b):
    wide, stride = lanes(b), b.shape[1]
    depth = b.shape[1] if transpose_b else b.shape[0]
    start = panel * wide * (stride if transpose_b else 1)
    to = panel * depth * wide
    pack_panel(b.reshape(-1), start, stride, transpose_b, depth, wide, work_b, to, wide)


@parallel
def _fill_rows(block, a, bias, relu, work_b, work_sums, out_y):
    rows, columns = out_y.shape
    depth_total, wide = a.shape[1], lanes(out_y)
    blocks = (rows + ROWS - 1) // ROWS
    flat_a, y = a.reshape(-1), out_y.reshape(-1)
    first, last = rows * block // blocks, rows * (block + 1) // blocks
    high, start = last - first, first * columns
    sums = work_sums[thread_id()]
    for k in range(0, depth_total, KC):
        multiply_rows(
            high, min(KC, depth_total - k), flat_a, (first * depth_total + k, depth_total, 1),
            work_b, (k * wide, depth_total * wide), columns // wide,
            sums if k > 0 else y, (0 if k > 0 else start, columns, wide), False,
        )  # fmt: skip
        if k > 0:
            accumulate(sums, 0, y, start, high * columns)
    epilogue(bias, relu, high, columns, y, start, columns, 0)
