"""Lines whose elements are neighbours: values go along a line."""

import math

import numpy as np

from kernels._jit import jit, parallel
from kernels._math import decay
from kernels._simd import (
    fma,
    full,
    lanes,
    load,
    load_first,
    max_lanes,
    maximum,
    store,
    store_first,
    sum_lanes,
)

# Sums run in lanes of the arrays' dtype over at most so many elements, then go on in float64.
_BLOCK = 1024


@parallel
def contiguous_forward(task, span, lines, x, log, out_y):
    first, last = task * span, min(task * span + span, lines)
    length, width = x.shape[1], lanes(x)
    rest = length % width
    for line in range(first, last):
        start = line * length
        end = start + length - rest
        tail = load_first(x, end, rest, -np.inf)
        highest = tail
        for i in range(start, end, width):
            highest = maximum(highest, load(x, i))
        top = max_lanes(highest)

        decayed = decay(tail - top)
        total = sum_lanes(decayed)
        for block in range(start, end, _BLOCK):
            sums = full(x, 0.0)
            for i in range(block, min(block + _BLOCK, end), width):
                e = decay(load(x, i) - top)
                if not log:
                    store(out_y, i, e)
                sums += e
            total += sum_lanes(sums)

        if log:
            log_total = math.log(total)
            for i in range(start, end, width):
                store(out_y, i, (load(x, i) - top) - log_total)
            result = (tail - top) - log_total
        else:
            scale = 1.0 / total
            for i in range(start, end, width):
                store(out_y, i, load(out_y, i) * scale)
            result = decayed * scale
        if rest:
            _store_within(out_y, end, rest, last * length, result)


@parallel
def contiguous_backward(task, span, lines, dy, y, log, out_dx):
    first, last = task * span, min(task * span + span, lines)
    length, width = y.shape[1], lanes(y)
    rest = length % width
    for line in range(first, last):
        start = line * length
        end = start + length - rest
        dy_tail, y_tail = load_first(dy, end, rest, 0.0), load_first(y, end, rest, 0.0)
        total = sum_lanes(dy_tail) if log else sum_lanes(dy_tail * y_tail)
        for block in range(start, end, _BLOCK):
            sums = full(y, 0.0)
            for i in range(block, min(block + _BLOCK, end), width):
                sums = sums + load(dy, i) if log else fma(load(dy, i), load(y, i), sums)
            total += sum_lanes(sums)
        for i in range(start, end, width):
            store(out_dx, i, gradient(load(dy, i), load(y, i), total, log))
        if rest:
            result = gradient(dy_tail, y_tail, total, log)
            _store_within(out_dx, end, rest, last * length, result)


@jit
def gradient(dy, y, total, log):
    """From the line's sum of dy, or of dy y."""
    if log:
        return dy - decay(y) * total
    return y * (dy - total)


@jit
def _store_within(array, start, count, stop, value):
    """Store `count` lanes, or all where the others fall on rows that are still to be written.

    A masked store is many times slower.
    """
    if start + lanes(array) <= stop:
        store(array, start, value)
    else:
        store_first(array, start, count, value)
