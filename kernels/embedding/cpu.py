"""Rows of a table, and their gradient, in SIMD values.

ids                  (P,) int64, each in [0, V)
weight, out_dweight  (V, D) float32 | float64, C-contiguous
dy, out_y            (P, D)
padding_idx          the row without gradient, or -1
work_order           (2, P) int64
work_starts          (P + 1 + 256,) int64

Bound: forward moves 2 P D values. Backward reads P D and writes V D, most of them zeros: those go
past the caches, where an ordinary store would first read what it overwrites.
Each row of the gradient is the sum over its positions, in their order, in float64: no two tasks
share an element, so any partition gives the same bits.
"""

import math

import numpy as np

from .._jit import jit, parallel
from .._simd import (
    REGISTER_BYTES,
    absolute,
    full,
    lanes,
    load,
    load_as,
    load_first,
    max_lanes,
    maximum,
    store,
    store_as,
    store_first,
    stream,
    sum_lanes,
)
from .._tasks import share_out
from .runs import first_run, first_run_of, group

# Elements of a task, and what one thread does before the others have started; copying is quick.
_CHUNK = 1 << 14
_SERIAL_BELOW = 1 << 15
_SERIAL_COPIES_BELOW = 1 << 18

# Elements of a task that writes zeros, which take less time each.
_ZEROS = 1 << 16

# Bytes from which zeros go past the caches.
_PAST_CACHES = 4 << 20

# Positions of a task that sums, and its columns where one id has more: that row is the work of
# several threads then, while whole rows are read faster.
_BLOCK = 256
_STRIP = 64

_LIKE_DOUBLE = np.zeros(1)


def forward(ids, weight, out_y):
    """Parallel over the positions."""
    count, size = out_y.shape
    alone = count if out_y.size < _SERIAL_COPIES_BELOW else 0
    tasks, span = share_out(count, max(1, _CHUNK // size), alone)
    _copy_rows(tasks, ids, weight, span, out_y)


def backward(dy, ids, padding_idx, by_frequency, work_order, work_starts, out_dweight):
    """Parallel over rows that get zeros, then over rows that get a sum, or strips of them."""
    vocabulary, size = out_dweight.shape
    source, runs, longest = group(ids, vocabulary, work_order, work_starts)
    order, small = work_order[source], dy.size + out_dweight.size < _SERIAL_BELOW
    tasks, span = share_out(vocabulary, max(1, _ZEROS // size), vocabulary if small else 0)
    _zero_rows(tasks, ids, order, work_starts, runs, span, out_dweight)
    blocks, block = share_out(ids.size, _BLOCK, ids.size if small else 0)
    strips, width = share_out(size, _STRIP, 0 if longest > _BLOCK and not small else size)
    _sum_runs(
        strips * blocks,
        dy,
        ids,
        order,
        work_starts,
        runs,
        (block, width),
        padding_idx,
        by_frequency,
        out_dweight,
    )


def renormalize(ids, max_norm, norm_type, work_order, work_starts, inout_weight):
    """Parallel over the rows, each once however often its id is there."""
    vocabulary, size = inout_weight.shape
    source, runs, _ = group(ids, vocabulary, work_order, work_starts)
    alone = runs if runs * size < _SERIAL_BELOW else 0
    tasks, span = share_out(runs, max(1, _CHUNK // size), alone)
    _shrink_rows(
        tasks, ids, work_order[source], work_starts, runs, span, max_norm, norm_type, inout_weight
    )


@jit
def _copy_row(source, start, size, out, to, past):
    step = lanes(out)
    rest = size % step
    for i in range(0, size - rest, step):
        if past:
            stream(out, to + i, load(source, start + i))
        else:
            store(out, to + i, load(source, start + i))
    if rest:
        i = size - rest
        store_first(out, to + i, rest, load_first(source, start + i, rest, 0.0))


@parallel
def _copy_rows(task, ids, weight, span, out_y):
    size = weight.shape[1]
    for position in range(task * span, min((task + 1) * span, ids.size)):
        _copy_row(weight, ids[position] * size, size, out_y, position * size, False)


@jit
def _past_caches(out):
    large = out.size * out.itemsize >= _PAST_CACHES
    return large and out.ctypes.data % REGISTER_BYTES == 0


@jit
def _zero(out, start, stop, past):
    """Whole values at multiples of their size are written past the caches, the rest is not."""
    step = lanes(out)
    zeros = full(out, 0.0)
    i = start
    if past:
        begin = min(stop, -(-start // step) * step)
        if begin > start:
            store_first(out, start, begin - start, zeros)
        i = begin
        while i + step <= stop:
            stream(out, i, zeros)
            i += step
    while i + step <= stop:
        store(out, i, zeros)
        i += step
    if i < stop:
        store_first(out, i, stop - i, zeros)


@parallel
def _zero_rows(task, ids, order, starts, runs, span, out_dweight):
    """Zeros in the rows whose id is not there."""
    vocabulary, size = out_dweight.shape
    past = _past_caches(out_dweight)
    row, stop = task * span, min((task + 1) * span, vocabulary)
    run = first_run_of(ids, order, starts, runs, row)
    while row < stop:
        present = stop
        if run < runs:
            present = min(stop, ids[order[starts[run]]])
        _zero(out_dweight, row * size, present * size, past)
        row = present + 1
        run += 1


@parallel
def _sum_runs(task, dy, ids, order, starts, runs, share, padding_idx, by_frequency, out_dweight):
    """Some columns of the gradients of the runs that begin in a block of positions.

    share  (positions of a block, columns of a strip)
    """
    size = dy.shape[1]
    block, width = share
    strip, place = divmod(task, (ids.size + block - 1) // block)
    first = first_run(starts, runs, place * block)
    last = first_run(starts, runs, (place + 1) * block)
    start, stop = strip * width, min(size, (strip + 1) * width)
    past = _past_caches(out_dweight) and size % lanes(dy) == 0
    for run in range(first, last):
        begin, end = starts[run], starts[run + 1]
        row = ids[order[begin]]
        to = row * size
        if row == padding_idx:
            _zero(out_dweight, to + start, to + stop, False)
        elif end - begin == 1:
            at = order[begin] * size + start
            _copy_row(dy, at, stop - start, out_dweight, to + start, past)
        else:
            scale = 1.0 / (end - begin) if by_frequency else 1.0
            _sum_run(dy, order, begin, end, start, stop, scale, to, out_dweight)


@jit
def _sum_run(dy, order, begin, end, start, stop, scale, to, out_dweight):
    """Four values at a time hide the latency of adding; what is left of a strip, one number."""
    size = dy.shape[1]
    step = lanes(_LIKE_DOUBLE)
    column = start
    while column + 4 * step <= stop:
        a, b = full(_LIKE_DOUBLE, 0.0), full(_LIKE_DOUBLE, 0.0)
        c, d = full(_LIKE_DOUBLE, 0.0), full(_LIKE_DOUBLE, 0.0)
        for place in range(begin, end):
            at = order[place] * size + column
            a += load_as(dy, at, _LIKE_DOUBLE)
            b += load_as(dy, at + step, _LIKE_DOUBLE)
            c += load_as(dy, at + 2 * step, _LIKE_DOUBLE)
            d += load_as(dy, at + 3 * step, _LIKE_DOUBLE)
        store_as(out_dweight, to + column, a * scale)
        store_as(out_dweight, to + column + step, b * scale)
        store_as(out_dweight, to + column + 2 * step, c * scale)
        store_as(out_dweight, to + column + 3 * step, d * scale)
        column += 4 * step
    while column + step <= stop:
        total = full(_LIKE_DOUBLE, 0.0)
        for place in range(begin, end):
            total += load_as(dy, order[place] * size + column, _LIKE_DOUBLE)
        store_as(out_dweight, to + column, total * scale)
        column += step
    row = to // size
    while column < stop:
        number = 0.0
        for place in range(begin, end):
            number += dy[order[place], column]
        out_dweight[row, column] = number * scale
        column += 1


@parallel
def _shrink_rows(task, ids, order, starts, runs, span, max_norm, norm_type, inout_weight):
    weight = inout_weight
    step = lanes(weight)
    size = weight.shape[1]
    for run in range(task * span, min((task + 1) * span, runs)):
        row = ids[order[starts[run]]]
        norm = _norm(weight, row, norm_type)
        if norm > max_norm:
            factor = max_norm / (norm + 1e-7)
            i, stop = row * size, (row + 1) * size
            while i + step <= stop:
                store(weight, i, load(weight, i) * factor)
                i += step
            if i < stop:
                rest = stop - i
                store_first(weight, i, rest, load_first(weight, i, rest, 0.0) * factor)


@jit
def _norm(weight, row, norm_type):
    """(sum |w|^p)^(1/p), in float64; the greatest |w| for p = inf."""
    size = weight.shape[1]
    step = lanes(_LIKE_DOUBLE)
    largest, total = 0.0, 0.0
    column = 0
    if norm_type in (1.0, 2.0, np.inf):
        most, sums = full(_LIKE_DOUBLE, 0.0), full(_LIKE_DOUBLE, 0.0)
        while column + step <= size:
            value = absolute(load_as(weight, row * size + column, _LIKE_DOUBLE))
            most = maximum(most, value)
            sums += value * value if norm_type == 2.0 else value
            column += step
        largest, total = max_lanes(most), sum_lanes(sums)
    while column < size:
        number = abs(np.float64(weight[row, column]))
        if not number <= largest:
            largest = number
        total += number * number if norm_type == 2.0 else number**norm_type
        column += 1
    if norm_type == np.inf:
        return largest
    return math.sqrt(total) if norm_type == 2.0 else total ** (1.0 / norm_type)
