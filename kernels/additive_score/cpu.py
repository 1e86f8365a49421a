"""The additive score; arguments are those of the reference, C-contiguous.

work_query, work_key  (N, panels, rows, lanes)
work_weight           (panels, lanes)
work_dkey             like work_key
work_dweight          (N, Q, A), the gradient of weight from each query

tanh(q + k) = 1 - 2 r with r = 1 / (1 + e^(2q) e^(2k)), so the exponentials are of queries and keys
alone, and a pair costs one division: that of 8 floats every 5 cycles is the bound, in both
directions. Where |q| or |k| exceeds _FAR the product might overflow although the tanh does not;
there the exponential is stored as NaN, and whatever pair it meets is computed as it stands.

A panel holds one value of columns of each row, the rows one behind the other. Forward is parallel
over queries. Backward is parallel over samples and panels, each with its own part of all gradients
and of work_dweight, whose rows are then summed in float64. A sum runs over at most _BLOCK
elements in lanes before it is added to a sum of such sums.
"""

import numpy as np

from kernels._jit import jit, parallel
from kernels._math import expm1_parts, sigmoid
from kernels._reduce import column_sums
from kernels._simd import (
    VALUE_BYTES,
    absolute,
    any_lane,
    fma,
    full,
    lanes,
    load,
    load_some,
    select,
    store,
    store_some,
    sum_lanes,
    times_power_of_two,
)
from kernels._tasks import share_out

# e^80 times e^-80 is 1 in either type.
_FAR = 40.0

_BLOCK = 64

# Up to so many pairs times columns one thread is done before the others have woken.
_ALONE = (1 << 14) - 1


def _in_panels(x):
    """Scratch for x (N, rows, A)."""
    n, rows, size = x.shape
    width = VALUE_BYTES // x.itemsize
    return (n, -(-size // width), rows, width), x.dtype


def forward_scratch(query, key):
    shape, dtype = _in_panels(query)
    return {
        "work_query": (shape, dtype),
        "work_key": _in_panels(key),
        "work_weight": (shape[1::2], dtype),
    }


def backward_scratch(query, key):
    return {
        "work_query": _in_panels(query),
        "work_key": _in_panels(key),
        "work_dkey": _in_panels(key),
        "work_dweight": (query.shape, query.dtype),
    }


def forward(query, key, weight, work_query, work_key, work_weight, out_score):
    padded = work_weight.reshape(-1)
    padded[: weight.size] = weight
    padded[weight.size :] = 0
    alone = out_score.size * weight.size <= _ALONE
    _store_exponentials(query, key, alone, work_query, work_key)
    queries = len(query) * query.shape[1]
    tasks, span = share_out(queries, 1, queries if alone else 0)
    _scores(tasks, span, query, key, work_query, work_key, work_weight, out_score)


def backward(
    dscore, query, key, weight, work_query, work_key, work_dkey, work_dweight, out_dquery, out_dkey,
    out_dweight,
):  # fmt: skip
    alone = dscore.size * weight.size <= _ALONE
    _store_exponentials(query, key, alone, work_query, work_key)
    places = len(work_query) * work_query.shape[1]
    tasks, span = share_out(places, 1, places if alone else 0)
    work, out = (work_query, work_key, work_dkey, work_dweight), (out_dquery, out_dkey)
    _gradients(tasks, span, dscore, (query, key, weight), work, out)
    rows = work_dweight.reshape(-1, weight.size)
    column_sums(x=rows, out_sums=out_dweight)


def _store_exponentials(query, key, alone, work_query, work_key):
    tasks, span = share_out(len(query), 1, len(query) if alone else 0)
    _exponentials(tasks, span, query, work_query)
    _exponentials(tasks, span, key, work_key)


@parallel
def _exponentials(task, span, x, out_panels):
    """e^(2x) of samples in panels, NaN where it is too far out; e^0 past the last column."""
    samples, rows, size = x.shape
    width, panels = lanes(x), out_panels.shape[1]
    for n in range(task * span, min(task * span + span, samples)):
        for row in range(rows):
            start = (n * rows + row) * size
            for panel in range(panels):
                column = panel * width
                value = load_some(x, start + column, size - column, 0.0)
                near = absolute(value) <= _FAR
                n_of, grown = expm1_parts(select(near, value + value, 0.0))
                value = select(near, times_power_of_two(grown + 1.0, n_of), np.nan)
                store(out_panels, ((n * panels + panel) * rows + row) * width, value)


@parallel
def _scores(task, span, query, key, work_query, work_key, work_weight, out_score):
    """Each row a query's score for each key of its sample."""
    samples, queries, keys = out_score.shape
    size, width, panels = query.shape[2], lanes(query), work_query.shape[1]
    for row in range(task * span, min(task * span + span, samples * queries)):
        n, q = row // queries, row % queries
        for k in range(keys):
            total = 0.0
            for first in range(0, panels, _BLOCK):
                sums = full(query, 0.0)
                for panel in range(first, min(first + _BLOCK, panels)):
                    place, column = n * panels + panel, panel * width
                    e_query = load(work_query, (place * queries + q) * width)
                    e_key = load(work_key, (place * keys + k) * width)
                    r = 1.0 / fma(e_query, e_key, 1.0)
                    if any_lane(r != r):
                        at_query, at_key = row * size + column, (n * keys + k) * size + column
                        r = _r_far_out(query, at_query, key, at_key, size - column, r)
                    sums = fma(fma(r, -2.0, 1.0), load(work_weight, column), sums)
                total += sum_lanes(sums)
            out_score[n, q, k] = total


@parallel
def _gradients(task, span, dscore, given, work, out):
    """given, work, out  (query, key, weight), (query, key, dkey, dweight), (dquery, dkey)"""
    places = work[0].shape[0] * work[0].shape[1]
    for place in range(task * span, min(task * span + span, places)):
        _gradients_of(place, dscore, given, work, out)


@jit
def _gradients_of(place, dscore, given, work, out):
    """All gradients of the columns of one panel of one sample.

    With t = 1 - 2 r, 1 - t^2 = 4 r (1 - r); the 4 is taken into the weight.
    """
    query, key, weight = given
    work_query, work_key, work_dkey, work_dweight = work
    out_dquery, out_dkey = out
    _, queries, keys = dscore.shape
    width, panels, size = lanes(query), work_query.shape[1], weight.size
    n, column = place // panels, place % panels * width
    count = min(width, size - column)
    scale = load_some(weight, column, count, 0.0) * 4.0
    for first_q in range(0, queries, _BLOCK):
        for k in range(keys):
            store(work_dkey, (place * keys + k) * width, full(key, 0.0))
        for q in range(first_q, min(first_q + _BLOCK, queries)):
            at_query = (n * queries + q) * size + column
            e_query = load(work_query, (place * queries + q) * width)
            dquery, dweight = full(query, 0.0), full(query, 0.0)
            for first_k in range(0, keys, _BLOCK):
                slopes, values = full(query, 0.0), full(query, 0.0)
                for k in range(first_k, min(first_k + _BLOCK, keys)):
                    at = (place * keys + k) * width
                    r = 1.0 / fma(e_query, load(work_key, at), 1.0)
                    if any_lane(r != r):
                        at_key = (n * keys + k) * size + column
                        r = _r_far_out(query, at_query, key, at_key, count, r)
                    weighted = r * dscore[n, q, k]
                    slope = fma(-weighted, r, weighted)
                    values = fma(fma(r, -2.0, 1.0), dscore[n, q, k], values)
                    slopes += slope
                    store(work_dkey, at, load(work_dkey, at) + slope)
                dquery += slopes
                dweight += values
            store_some(out_dquery, at_query, count, dquery * scale)
            store_some(work_dweight, at_query, count, dweight)
        for k in range(keys):
            at_key = (n * keys + k) * size + column
            dkey = load(work_dkey, (place * keys + k) * width) * scale
            if first_q:
                dkey += load_some(out_dkey, at_key, count, 0.0)
            store_some(out_dkey, at_key, count, dkey)


@jit
def _r_far_out(query, at_query, key, at_key, rest, r):
    """r = 1 / (1 + e^(2(q + k))), anew in the lanes where it is NaN; `rest` columns are left."""
    pair = load_some(query, at_query, rest, 0.0) + load_some(key, at_key, rest, 0.0)
    return select(r == r, r, sigmoid(pair * -2.0))
