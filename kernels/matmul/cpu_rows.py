"""The matrix product for a tall A: its rows as they lie, B packed once for all of them.

A tall A is worth no packing, each of its numbers is used for few columns. B, small beside it, is
packed into panels of 2 registers; tasks are blocks of rows, so that what a task reads of A comes
from memory once and stays near for all panels. The sum over K is cut where `cpu` cuts it, so both
give the same bits.
"""

import numpy as np

from kernels import _jit
from kernels._jit import prange, thread_id
from kernels._simd import lanes, load, maximum, store
from kernels._tile import multiply_rows, tile_lanes, transpose_square
from kernels.matmul.cpu import DEPTH

# Rows of a task: small enough that their part of C stays in L2 until it is finished.
ROWS = 48


@_jit.jit
def _pack(b, transpose_b, depth, column, out, to):
    """A panel (depth, 2 registers) of B from `column` on."""
    wide, register = lanes(b), tile_lanes(b)
    stride = b.shape[1]
    if not transpose_b:
        for k in range(depth):
            store(out, to + k * wide, load(b, k * stride + column))
        return
    whole = depth // register * register
    for j in range(0, wide, register):
        source = (column + j) * stride
        for k in range(0, whole, register):
            transpose_square(b, source + k, stride, out, to + k * wide + j, wide)
        for k in range(whole, depth):
            for lane in range(register):
                out[to + k * wide + j + lane] = b[column + j + lane, k]


@_jit.jit
def _add(x, start, count, out, to):
    for i in range(0, count, lanes(out)):
        store(out, to + i, load(out, to + i) + load(x, start + i))


@_jit.jit
def _finish(bias, relu, rows, columns, y, start):
    """y += bias, rectified where `relu`, on whole rows."""
    for row in range(start, start + rows * columns, columns):
        for column in range(0, columns, lanes(y)):
            value = load(y, row + column)
            if bias.size:
                value += load(bias, column)
            store(y, row + column, maximum(value, 0.0) if relu else value)


@_jit.parallel
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
    depth_total = a.shape[1]
    wide = lanes(out_y)
    panels = columns // wide
    for index in prange(panels):
        panel = np.int64(index)
        _pack(b, transpose_b, depth_total, panel * wide, work_b, panel * depth_total * wide)
    blocks = (rows + ROWS - 1) // ROWS
    flat_a, y = a.reshape(-1), out_y.reshape(-1)
    for index in prange(blocks):
        block = np.int64(index)
        first, last = rows * block // blocks, rows * (block + 1) // blocks
        high, start = last - first, first * columns
        sums = work_sums[thread_id()]
        for k in range(0, depth_total, DEPTH):
            depth = min(DEPTH, depth_total - k)
            multiply_rows(
                high, depth, flat_a, (first * depth_total + k, depth_total, 1),
                work_b, (k * wide, depth_total * wide), panels,
                sums if k > 0 else y, (0 if k > 0 else start, columns, wide), False,
            )  # fmt: skip
            if k > 0:
                _add(sums, 0, high * columns, y, start)
        if bias.size or relu:
            _finish(bias, relu, high, columns, y, start)
