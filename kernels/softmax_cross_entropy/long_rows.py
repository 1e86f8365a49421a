"""Rows of many classes, lanes along the row, a few rows in each of three phases.

Phases of one row wait for each other, through a maximum and a sum across lanes; the same phase of
several rows does not.
"""

import numpy as np

from kernels._jit import jit, parallel, thread_id
from kernels._math import decay
from kernels._simd import first as first_lanes
from kernels._simd import (
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
from kernels.softmax_cross_entropy.losses import (
    DISTANCE,
    FACTOR,
    TOP,
    TOTAL,
    Target,
    finish_losses,
    subtract_labels,
)

# Sums run in lanes of the logits' dtype over at most so many elements, then go on in float64.
_BLOCK = 1024

# So many elements stay in the first-level cache between phases.
_NEAR = 1 << 12


@parallel
def long_rows(
    task, span, rows, shape, logits, labels, weight, target, work_samples, out_loss, out_gradient
):
    classes, _ = shape
    target = Target(*target)
    begin, end = task * span, min(task * span + span, rows)
    work, own = work_samples.reshape(-1), thread_id() * work_samples.shape[1]
    width = lanes(logits)
    wanted = out_gradient.size > 0
    stop = end * classes
    most = max(1, min(width, _NEAR // classes))
    for first in range(begin, end, most):
        count = min(most, end - first)
        place = first * classes, 1, classes
        _tops(first, count, classes, logits, work, own)
        _sums(first, count, classes, wanted, stop, logits, weight, target, work, own, out_gradient)
        finish_losses(first, count, place, logits, labels, weight, target, work, own, out_loss)
        if wanted:
            factors = own + FACTOR * width
            _scale(first, count, classes, stop, weight, target, work, factors, out_gradient)
            subtract_labels(first, count, place, classes, labels, weight, target, out_gradient)


@jit
def _tops(first, count, classes, logits, work, own):
    width = lanes(logits)
    rest = classes % width
    for j in range(count):
        start = (first + j) * classes
        end = start + classes - rest
        highest = load(logits, start)  # long rows fill a value
        for i in range(start + width, end, width):
            highest = maximum(highest, load(logits, i))
        if rest:
            highest = maximum(highest, load_first(logits, end, rest, -np.inf))
        work[own + TOP * width + j] = max_lanes(highest)


@jit
def _sums(first, count, classes, wanted, stop, logits, weight, target, work, own, out_exp):
    """The rows' numbers; out_exp becomes exp(logit - greatest)."""
    width = lanes(logits)
    rest = classes % width
    for j in range(count):
        start = (first + j) * classes
        end = start + classes - rest
        top = work[own + TOP * width + j]
        total = 0.0
        for block in range(start, end, _BLOCK):
            sums = full(logits, 0.0)
            for i in range(block, min(block + _BLOCK, end), width):
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
        work[own + TOTAL * width + j] = total
        if target.class_share != 0.0:
            distance = _weighted_distance(start, classes, logits, weight, top)
            work[own + DISTANCE * width + j] = distance


@jit
def _weighted_distance(start, classes, logits, weight, top):
    """Sum of weight * (logit - top); a class of weight 0 may have the logit -inf."""
    width = lanes(logits)
    highest = full(logits, top)
    total = 0.0
    for block in range(0, classes, _BLOCK):
        sums = full(logits, 0.0)
        for c in range(block, min(block + _BLOCK, classes), width):
            count = min(width, classes - c)
            factor = load_first(weight, c, count, 0.0)
            distance = load_first(logits, start + c, count, 0.0) - highest
            sums = fma(factor, select(factor == 0.0, 0.0, distance), sums)
        total += sum_lanes(sums)
    return total


@jit
def _scale(first, count, classes, stop, weight, target, work, factors, gradient):
    width = lanes(gradient)
    rest = classes % width
    share = target.scale * target.class_share
    for j in range(count):
        factor = work[factors + j]
        start = (first + j) * classes
        end = start + classes - rest
        for i in range(start, end, width):
            value = load(gradient, i) * factor
            if target.class_share != 0.0:
                value -= load(weight, i - start) * share
            store(gradient, i, value)
        if rest:
            value = load_first(gradient, end, rest, 0.0) * factor
            if target.class_share != 0.0:
                value -= load_first(weight, classes - rest, rest, 0.0) * share
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
