"""Lines side by side: a value holds one element of each of `lanes` neighbouring lines."""

import numpy as np

from kernels._jit import jit, parallel
from kernels._math import decay
from kernels._math import log as vector_log
from kernels._simd import fma, full, lanes, load_some, maximum, store_some
from kernels.softmax.contiguous_lines import gradient

# Sums of so many elements are summed again: rounding grows with their number, and that of sums.
_BLOCK = 64


@jit
def _block_starts(x, block):
    """Where a block's values begin, as a range, and how many lines a value holds.

    The lines left at the end of a row are done by a value that ends there. It overlaps the one
    before, where out_y is scratch: so both are one block, of one task.
    """
    _, length, inner = x.shape
    width = lanes(x)
    in_a_row = max(1, inner // width)
    outer, place = block // in_a_row, block % in_a_row
    start = outer * length * inner + place * width
    left = inner % width if place == in_a_row - 1 and inner > width else 0
    return range(start, start + left + 1, max(1, left)), min(width, inner)


@parallel
def strided_forward(task, span, blocks, x, log, out_y):
    for block in range(task * span, min(task * span + span, blocks)):
        starts, count = _block_starts(x, block)
        for start in starts:
            _forward(start, count, x, log, out_y)


@parallel
def strided_backward(task, span, blocks, dy, y, log, out_dx):
    for block in range(task * span, min(task * span + span, blocks)):
        starts, count = _block_starts(y, block)
        for start in starts:
            _backward(start, count, dy, y, log, out_dx)


@jit
def _forward(start, count, x, log, out_y):
    length, inner = x.shape[1], x.shape[2]
    top = full(x, -np.inf)
    for j in range(length):
        top = maximum(top, load_some(x, start + j * inner, count, 0.0))
    total = full(x, 0.0)
    for block in range(0, length, _BLOCK):
        sums = full(x, 0.0)
        for j in range(block, min(block + _BLOCK, length)):
            at = start + j * inner
            e = decay(load_some(x, at, count, 0.0) - top)
            if not log:
                store_some(out_y, at, count, e)
            sums += e
        total += sums
    if log:
        log_total = vector_log(total)
        for j in range(length):
            at = start + j * inner
            store_some(out_y, at, count, (load_some(x, at, count, 0.0) - top) - log_total)
    else:
        scale = 1.0 / total
        for j in range(length):
            at = start + j * inner
            store_some(out_y, at, count, load_some(out_y, at, count, 0.0) * scale)


@jit
def _backward(start, count, dy, y, log, out_dx):
    length, inner = y.shape[1], y.shape[2]
    total = full(y, 0.0)
    for block in range(0, length, _BLOCK):
        sums = full(y, 0.0)
        for j in range(block, min(block + _BLOCK, length)):
            at = start + j * inner
            slope = load_some(dy, at, count, 0.0)
            sums = sums + slope if log else fma(slope, load_some(y, at, count, 0.0), sums)
        total += sums
    for j in range(length):
        at = start + j * inner
        slope, value = load_some(dy, at, count, 0.0), load_some(y, at, count, 0.0)
        store_some(out_dx, at, count, gradient(slope, value, total, log))
