"""Rows of a table, and their gradient, in SIMD values.

ids                  (P,) int64, each in [0, V)
weight, out_dweight  (V, D) float32 | float64, C-contiguous
dy, out_y            (P, D)
padding_idx          the row without gradient, or -1
work_*               as `backward_scratch` says: what positions are grouped by id in

Bound: forward moves 2 P D values. Backward reads P D and writes V D, most of them zeros: those go
past the caches, where an ordinary store would first read what it overwrites.
Each row of the gradient is the sum over its positions, in their order, in float64: no two tasks
share an element, so any partition gives the same bits.
"""

import math

import numpy as np

from kernels._jit import jit, parallel
from kernels._reduce import multiply
from kernels._simd import (
    REGISTER_BYTES,
    absolute,
    full,
    lanes,
    load_as,
    load_some,
    max_lanes,
    maximum,
    store_as,
    store_some,
    stream,
    sum_lanes,
)
from kernels._tasks import share_out
from kernels.embedding.id_runs import DIGITS, first_run, first_run_of, group, id_of

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


def backward_scratch(ids):
    return {
        "work_order": ((2, ids.size), np.int64),
        "work_counts": (DIGITS, np.int64),
        "work_starts": (ids.size + 1, np.int64),
    }


renormalize_scratch = backward_scratch


def forward(ids, weight, out_y):
    """Parallel over the positions."""
    count, size = out_y.shape
    alone = count if out_y.size < _SERIAL_COPIES_BELOW else 0
    tasks, span = share_out(count, max(1, _CHUNK // size), alone)
    _copy_rows(tasks, ids, weight, span, out_y)


def backward(dy, ids, padding_idx, by_frequency, work_order, work_counts, work_starts, out_dweight):
    """Parallel over rows that get zeros, then over rows that get a sum, or strips of them."""
    vocabulary, size = out_dweight.shape
    source, runs, longest = group(ids, vocabulary, work_order, work_counts, work_starts)
    grouped = ids, work_order[source], work_starts
    small = dy.size + out_dweight.size < _SERIAL_BELOW
    tasks, span = share_out(vocabulary, max(1, _ZEROS // size), vocabulary if small else 0)
    _zero_rows(tasks, grouped, runs, span, out_dweight)
    blocks, block = share_out(ids.size, _BLOCK, ids.size if small else 0)
    strips, width = share_out(size, _STRIP, 0 if longest > _BLOCK and not small else size)
    tasks, share = strips * blocks, (block, width)
    _sum_runs(tasks, dy, grouped, runs, share, padding_idx, by_frequency, out_dweight)


def renormalize(ids, max_norm, norm_type, work_order, work_counts, work_starts, inout_weight):
    """Parallel over the rows, each once however often its id is there."""
    vocabulary, size = inout_weight.shape
    source, runs, _ = group(ids, vocabulary, work_order, work_counts, work_starts)
    grouped = ids, work_order[source], work_starts
    alone = runs if runs * size < _SERIAL_BELOW else 0
    tasks, span = share_out(runs, max(1, _CHUNK // size), alone)
    _shrink_rows(tasks, grouped, runs, span, max_norm, norm_type, inout_weight)


@parallel
def _copy_rows(task, ids, weight, span, out_y):
    size = weight.shape[1]
    for position in range(task * span, min((task + 1) * span, ids.size)):
        _copy_row(weight, ids[position] * size, size, out_y, position * size, False)


@jit
def _copy_row(source, start, size, out, to, past):
    for i in range(0, size, lanes(out)):
        value = load_some(source, start + i, size - i, 0.0)
        if past:
            stream(out, to + i, value)
        else:
            store_some(out, to + i, size - i, value)


@jit
def _past_caches(out):
    large = out.size * out.itemsize >= _PAST_CACHES
    return large and out.ctypes.data % REGISTER_BYTES == 0


@parallel
def _zero_rows(task, grouped, runs, span, out_dweight):
    """Zeros in the rows whose id is not there."""
    vocabulary, size = out_dweight.shape
    past = _past_caches(out_dweight)
    row, stop = task * span, min((task + 1) * span, vocabulary)
    run = first_run_of(grouped, runs, row)
    while row < stop:
        present = min(stop, id_of(grouped, run)) if run < runs else stop
        _zero(out_dweight, row * size, present * size, past)
        row = present + 1
        run += 1


@jit
def _zero(out, start, stop, past):
    """Whole values at multiples of their size are written past the caches, the rest is not."""
    zeros = full(out, 0.0)
    if past:
        begin = min(stop, -(-start // lanes(out)) * lanes(out))
        if begin > start:
            store_some(out, start, begin - start, zeros)
        start = begin
        while start + lanes(out) <= stop:
            stream(out, start, zeros)
            start += lanes(out)
    for i in range(start, stop, lanes(out)):
        store_some(out, i, stop - i, zeros)


@parallel
def _sum_runs(task, dy, grouped, runs, share, padding_idx, by_frequency, out_dweight):
    """Some columns of the gradients of the runs that begin in a block of positions.

    share  (positions of a block, columns of a strip)
    """
    _, order, starts = grouped
    size = dy.shape[1]
    block, width = share
    strip, place = divmod(task, (order.size + block - 1) // block)
    first = first_run(grouped, runs, place * block)
    last = first_run(grouped, runs, (place + 1) * block)
    start, stop = strip * width, min(size, (strip + 1) * width)
    past = _past_caches(out_dweight) and size % lanes(dy) == 0
    for run in range(first, last):
        begin, end = starts[run], starts[run + 1]
        row = id_of(grouped, run)
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
    width = lanes(_LIKE_DOUBLE)
    column = start
    while column + 4 * width <= stop:
        a, b = full(_LIKE_DOUBLE, 0.0), full(_LIKE_DOUBLE, 0.0)
        c, d = full(_LIKE_DOUBLE, 0.0), full(_LIKE_DOUBLE, 0.0)
        for place in range(begin, end):
            at = order[place] * size + column
            a += load_as(dy, at, _LIKE_DOUBLE)
            b += load_as(dy, at + width, _LIKE_DOUBLE)
            c += load_as(dy, at + 2 * width, _LIKE_DOUBLE)
            d += load_as(dy, at + 3 * width, _LIKE_DOUBLE)
        store_as(out_dweight, to + column, a * scale)
        store_as(out_dweight, to + column + width, b * scale)
        store_as(out_dweight, to + column + 2 * width, c * scale)
        store_as(out_dweight, to + column + 3 * width, d * scale)
        column += 4 * width
    while column + width <= stop:
        total = full(_LIKE_DOUBLE, 0.0)
        for place in range(begin, end):
            total += load_as(dy, order[place] * size + column, _LIKE_DOUBLE)
        store_as(out_dweight, to + column, total * scale)
        column += width
    row = to // size
    while column < stop:
        number = 0.0
        for place in range(begin, end):
            number += dy[order[place], column]
        out_dweight[row, column] = number * scale
        column += 1


@parallel
def _shrink_rows(task, grouped, runs, span, max_norm, norm_type, inout_weight):
    size = inout_weight.shape[1]
    for run in range(task * span, min((task + 1) * span, runs)):
        row = id_of(grouped, run)
        norm = _norm(inout_weight, row, norm_type)
        if norm > max_norm:
            factor = max_norm / (norm + 1e-7)
            multiply(inout_weight, row * size, (row + 1) * size, factor)


@jit
def _norm(weight, row, norm_type):
    """(sum |w|^p)^(1/p), in float64; the greatest |w| for p = inf."""
    size = weight.shape[1]
    width = lanes(_LIKE_DOUBLE)
    largest, total = 0.0, 0.0
    column = 0
    if norm_type in (1.0, 2.0, np.inf):
        most, sums = full(_LIKE_DOUBLE, 0.0), full(_LIKE_DOUBLE, 0.0)
        while column + width <= size:
            value = absolute(load_as(weight, row * size + column, _LIKE_DOUBLE))
            most = maximum(most, value)
            sums += value * value if norm_type == 2.0 else value
            column += width
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
