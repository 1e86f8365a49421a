"""Rows of many classes, lanes along the row, a few rows in each of three steps.

Steps of one row wait for each other, through a maximum and a sum across lanes; the same step of
several rows does not.
"""

import numpy as np

from .._jit import jit, parallel, thread_id
from .._math import decay
from .._simd import (
    first as first_lanes,
)
from .._simd import (
    fma,
    full,
    lanes,
    load,
    load_first,
    max_lanes,
    maximum,
    select,
    store,
    store_first,
    sum_lanes,
)
from .samples import DISTANCE, FACTOR, TOP, TOTAL, finish_losses, subtract_labels

# Sums run in lanes of the logits' dtype over at most so many elements, then go on in float64.
_BLOCK = 1024

# So many elements stay in the first-level cache between steps.
_NEAR = 1 << 12


@parallel
def long_rows(
    task, span, rows, shape, logits, labels, weight, aims, work_samples, out_loss, out_gradient
):
    """Rows from task * span on."""
    classes, _ = shape
    begin, end = task * span, min(task * span + span, rows)
    work, own = work_samples.reshape(-1), thread_id() * work_samples.shape[1]
    step = lanes(logits)
    wanted = out_gradient.size > 0
    stop = end * classes
    most = max(1, min(step, _NEAR // classes))
    for first in range(begin, end, most):
        count = min(most, end - first)
        place = first * classes, 1, classes
        _tops(first, count, classes, logits, work, own)
        _sums(first, count, classes, wanted, stop, logits, weight, aims, work, own, out_gradient)
        finish_losses(first, count, place, logits, labels, weight, aims, work, own, out_loss)
        if wanted:
            factors = own + FACTOR * step
            _scale(first, count, classes, stop, weight, aims, work, factors, out_gradient)
            subtract_labels(first, count, place, classes, labels, weight, aims, out_gradient)


@jit
def _tops(first, count, classes, logits, work, own):
    step = lanes(logits)
    rest = classes % step
    for j in range(count):
        start = (first + j) * classes
        end = start + classes - rest
        highest = load(logits, start)  # long rows fill a value
        for i in range(start + step, end, step):
            highest = maximum(highest, load(logits, i))
        if rest:
            highest = maximum(highest, load_first(logits, end, rest, -np.inf))
        work[own + TOP * step + j] = max_lanes(highest)


@jit
def _sums(first, count, classes, wanted, stop, logits, weight, aims, work, own, out_exp):
    """The rows' numbers; out_exp becomes exp(logit - greatest)."""
    _, spread, _, _, _ = aims
    step = lanes(logits)
    rest = classes % step
    for j in range(count):
        start = (first + j) * classes
        end = start + classes - rest
        top = work[own + TOP * step + j]
        total = 0.0
        for block in range(start, end, _BLOCK):
            sums = full(logits, 0.0)
            for i in range(block, min(block + _BLOCK, end), step):
                e = decay(load(logits, i) - top)
                if wanted:
                    store(out_exp, i, e)
                sums += e
            total += sum_lanes(sums)
        if rest:
            tail = decay(load_first(logits, end, rest, -np.inf) - top)
            total += sum_lanes(tail)
            if wanted:
                _store_within(out_exp, end, rest, stop, tail)
        work[own + TOTAL * step + j] = total
        if spread != 0.0:
            distance = _weighted_distance(start, classes, logits, weight, top)
            work[own + DISTANCE * step + j] = distance


@jit
def _weighted_distance(start, classes, logits, weight, top):
    """Sum of weight * (logit - top); a class of weight 0 may have the logit -inf."""
    step = lanes(logits)
    highest = full(logits, top)
    total = 0.0
    for block in range(0, classes, _BLOCK):
        sums = full(logits, 0.0)
        for c in range(block, min(block + _BLOCK, classes), step):
            count = min(step, classes - c)
            factor = load_first(weight, c, count, 0.0)
            distance = load_first(logits, start + c, count, 0.0) - highest
            sums = fma(factor, select(factor == 0.0, 0.0, distance), sums)
        total += sum_lanes(sums)
    return total


@jit
def _scale(first, count, classes, stop, weight, aims, work, factors, gradient):
    _, spread, _, _, scale = aims
    step = lanes(gradient)
    rest = classes % step
    for j in range(count):
        factor = work[factors + j]
        start = (first + j) * classes
        end = start + classes - rest
        for i in range(start, end, step):
            value = load(gradient, i) * factor
            if spread != 0.0:
                value -= load(weight, i - start) * (scale * spread)
            store(gradient, i, value)
        if rest:
            value = load_first(gradient, end, rest, 0.0) * factor
            if spread != 0.0:
                value -= load_first(weight, classes - rest, rest, 0.0) * (scale * spread)
            _store_within(gradient, end, rest, stop, value)


@jit
def _store_within(array, start, count, stop, value):
    """Store `count` lanes; before `stop`, together with what stands behind them.

    A masked store is many times slower.
    """
    if start + lanes(array) <= stop:
        store(array, start, select(first_lanes(array, count), value, load(array, start)))
    else:
        store_first(array, start, count, value)
