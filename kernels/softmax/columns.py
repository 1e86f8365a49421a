"""Lines side by side: a value holds one element of each of `lanes` neighbouring lines."""

import numpy as np

from kernels._jit import jit
from kernels._math import decay
from kernels._math import log as vector_log
from kernels._simd import fma, full, lanes, load, load_first, maximum, store, store_first

from .rows import gradient

# Sums of so many elements are summed again: rounding grows with their number, and that of sums.
_BLOCK = 64


@jit
def block_starts(x, block):
    """Where a block's values begin, as a range, and how many lines a value holds.

    The lines left at the end of a row are done by a value that ends there. It overlaps the one
    before, where out_y is scratch: so both are one block, of one task.
    """
    _, length, inner = x.shape
    step = lanes(x)
    in_a_row = max(1, inner // step)
    outer, place = block // in_a_row, block % in_a_row
    start = outer * length * inner + place * step
    left = inner % step if place == in_a_row - 1 and inner > step else 0
    return range(start, start + left + 1, max(1, left)), min(step, inner)


@jit
def _load(array, start, count, fill):
    if count == lanes(array):
        return load(array, start)
    return load_first(array, start, count, fill)


@jit
def _store(array, start, count, value):
    if count == lanes(array):
        store(array, start, value)
    else:
        store_first(array, start, count, value)


@jit
def column_forward(start, count, x, log, out_y):
    length, inner = x.shape[1], x.shape[2]
    top = full(x, -np.inf)
    for j in range(length):
        top = maximum(top, _load(x, start + j * inner, count, 0.0))
    total = full(x, 0.0)
    for block in range(0, length, _BLOCK):
        sums = full(x, 0.0)
        for j in range(block, min(block + _BLOCK, length)):
            at = start + j * inner
            e = decay(_load(x, at, count, 0.0) - top)
            if not log:
                _store(out_y, at, count, e)
            sums += e
        total += sums
    if log:
        log_total = vector_log(total)
        for j in range(length):
            at = start + j * inner
            _store(out_y, at, count, (_load(x, at, count, 0.0) - top) - log_total)
    else:
        scale = 1.0 / total
        for j in range(length):
            at = start + j * inner
            _store(out_y, at, count, _load(out_y, at, count, 0.0) * scale)


@jit
def column_backward(start, count, dy, y, log, out_dx):
    length, inner = y.shape[1], y.shape[2]
    total = full(y, 0.0)
    for block in range(0, length, _BLOCK):
        sums = full(y, 0.0)
        for j in range(block, min(block + _BLOCK, length)):
            at = start + j * inner
            slope = _load(dy, at, count, 0.0)
            sums = sums + slope if log else fma(slope, _load(y, at, count, 0.0), sums)
        total += sums
    for j in range(length):
        at = start + j * inner
        slope, value = _load(dy, at, count, 0.0), _load(y, at, count, 0.0)
        _store(out_dx, at, count, gradient(slope, value, total, log))
