"""The matrix product for a tall A: its rows as they lie, B packed once for all of them.

A tall A is worth no packing, each of its numbers is used for few columns. B, small beside it, is
packed into panels of 2 registers; tasks are blocks of rows, so that what a task reads of A comes
from memory once and stays near for all panels. The sum over K is cut where `cpu` cuts it, so both
give the same bits.
"""

from kernels._jit import jit, parallel, thread_id
from kernels._simd import VALUE_BYTES, lanes, load, maximum, store
from kernels._tile import accumulate, multiply_rows, tile_lanes
from kernels.matmul.cpu import DEPTH
from kernels.matmul.cpu_direct import pack_b

# Rows of a task: small enough that their part of C stays in L2 until it is finished.
ROWS = 48


@jit
def _finish(bias, relu, rows, columns, y, start):
    """y += bias, rectified where `relu`, on whole rows: a call a row would be felt."""
    for row in range(start, start + rows * columns, columns):
        for column in range(0, columns, lanes(y)):
            value = load(y, row + column)
            if bias.size:
                value += load(bias, column)
            store(y, row + column, maximum(value, 0.0) if relu else value)


def product(a, b, bias, transpose_b, relu, work_b, work_sums, out_y):
    """out_y = a op(b) + bias, rectified where `relu`; an empty bias adds nothing.

    a          (M, K)
    b          (K, N), or (N, K) where `transpose_b`; N whole panels of 2 registers
    bias       (N,) or (0,)
    work_b     (K N,)
    work_sums  (threads, ROWS N), of which nothing is used where K is at most DEPTH
    out_y      (M, N)

    2 M N K flops; M K + K N + M N elements to and from memory. Parallel over panels of B, then
    over blocks of rows.
    """
    rows, columns = out_y.shape
    _pack_panel(columns * out_y.itemsize // VALUE_BYTES, b, transpose_b, work_b)
    _fill_rows(-(-rows // ROWS), a, bias, relu, work_b, work_sums, out_y)


@parallel
def _pack_panel(panel, b, transpose_b, work_b):
    wide = lanes(b)
    depth, columns = (b.shape[1], b.shape[0]) if transpose_b else b.shape
    last_register, start = columns - tile_lanes(b), panel * depth * wide
    pack_b(b, transpose_b, depth, panel * wide, last_register, 2, work_b, start)


@parallel
def _fill_rows(block, a, bias, relu, work_b, work_sums, out_y):
    rows, columns = out_y.shape
    depth_total = a.shape[1]
    wide = lanes(out_y)
    blocks = (rows + ROWS - 1) // ROWS
    flat_a, y = a.reshape(-1), out_y.reshape(-1)
    first, last = rows * block // blocks, rows * (block + 1) // blocks
    high, start = last - first, first * columns
    sums = work_sums[thread_id()]
    for k in range(0, depth_total, DEPTH):
        depth = min(DEPTH, depth_total - k)
        multiply_rows(
            high, depth, flat_a, (first * depth_total + k, depth_total, 1),
            work_b, (k * wide, depth_total * wide), columns // wide,
            sums if k > 0 else y, (0 if k > 0 else start, columns, wide), False,
        )  # fmt: skip
        if k > 0:
            accumulate(sums, 0, y, start, high * columns)
    if bias.size or relu:
        _finish(bias, relu, high, columns, y, start)
