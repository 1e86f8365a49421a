"""Cross entropy of the softmax of logits; the arguments are those of the reference.

Bound: forward reads logits and writes the gradient, 2 values an element, for about 25 operations:
exp sets the pace. A row of up to 100,000 classes stays in the cache over its three passes, for the
maximum, for exp with its sum, and for the scale. backward moves 2 values for 1 operation: memory
speed. Rows are independent, so any partition gives the same bits.
"""

import math

import numpy as np

from .._jit import jit, parallel, prange
from .._math import exp
from .._simd import (
    fma,
    full,
    is_double,
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

# One thread needs about 10 us for as many elements, what it costs to wake the others.
_TASK = 1 << 14

# Sums run in lanes of the logits' dtype over at most so many elements, then go on in float64.
_BLOCK = 1024


def forward(
    logits, labels, weight, label_smoothing, ignore_index, out_loss, out_weight, out_gradient
):
    spread = label_smoothing / logits.shape[1]
    total_weight = float(weight.sum(dtype=np.float64)) if spread else 0.0
    run = _forward_serial if logits.size < _TASK else _forward_parallel
    run(
        logits,
        labels,
        weight,
        1.0 - label_smoothing,
        spread,
        total_weight,
        ignore_index,
        out_loss,
        out_weight,
        out_gradient,
    )


def backward(gradient, row_scale, out_dlogits):
    run = _backward_serial if gradient.size < 4 * _TASK else _backward_parallel
    run(gradient, row_scale, out_dlogits)


@jit
def _forward_serial(
    logits,
    labels,
    weight,
    picked,
    spread,
    total_weight,
    ignored,
    out_loss,
    out_weight,
    out_gradient,
):
    out = out_loss, out_weight, out_gradient
    rows = logits.shape[0]
    _forward_rows(0, rows, logits, labels, weight, picked, spread, total_weight, ignored, out)


@parallel
def _forward_parallel(
    logits,
    labels,
    weight,
    picked,
    spread,
    total_weight,
    ignored,
    out_loss,
    out_weight,
    out_gradient,
):
    """Parallel over groups of rows."""
    out = out_loss, out_weight, out_gradient
    rows, classes = logits.shape
    group = max(1, _TASK // classes)
    for index in prange((rows + group - 1) // group):
        first = np.int64(index) * group
        last = min(first + group, rows)
        _forward_rows(
            first, last, logits, labels, weight, picked, spread, total_weight, ignored, out
        )


@jit
def _forward_rows(first, last, logits, labels, weight, picked, spread, total_weight, ignored, out):
    """`picked` is the label's share of the target, `spread` that of each class.

    Between its passes over a row out_gradient holds exp, but for the rest that does not fill a
    value: it stays in one. All in one function, since a call a row would cost as much as a short
    row itself.
    """
    out_loss, out_weight, out_gradient = out
    classes, step = logits.shape[1], lanes(logits)
    rest = classes % step
    for row in range(first, last):
        label = labels[row]
        if label == ignored:
            out_loss[row] = 0.0
            out_weight[row] = 0.0
            for c in range(classes):
                out_gradient[row, c] = 0.0
            continue
        start = row * classes
        end = start + classes - rest
        tail = load_first(logits, end, rest, -np.inf)
        highest = tail
        for i in range(start, end, step):
            highest = maximum(highest, load(logits, i))
        top = max_lanes(highest)

        tail = _decay(tail - top)
        total = sum_lanes(tail)
        for block in range(start, end, _BLOCK):
            sums = full(logits, 0.0)
            for i in range(block, min(block + _BLOCK, end), step):
                e = _decay(load(logits, i) - top)
                store(out_gradient, i, e)
                sums += e
            total += sum_lanes(sums)

        aimed = picked * weight[label]
        scale = (aimed + spread * total_weight) / total
        for i in range(start, end, step):
            value = load(out_gradient, i) * scale
            if spread != 0.0:
                value -= load(weight, i - start) * spread
            store(out_gradient, i, value)
        if rest:
            tail *= scale
            if spread != 0.0:
                tail -= load_first(weight, classes - rest, rest, 0.0) * spread
            _store_within(out_gradient, end, rest, last * classes, tail)
        out_gradient[row, label] -= aimed

        log_total = math.log(total)
        loss = 0.0
        if aimed != 0.0:
            loss = aimed * (log_total - (np.float64(logits[row, label]) - top))
        if spread != 0.0:
            distance = _weighted_distance(start, logits, weight, top)
            loss += spread * (total_weight * log_total - distance)
        out_loss[row] = loss
        out_weight[row] = weight[label]


@jit
def _decay(x):
    """e^x for x <= 0; 0 where it would be subnormal, which takes processors long."""
    least = -700.0 if is_double(x) else -87.0
    return select(x < least, 0.0, exp(maximum(x, least)))


@jit
def _store_within(array, start, count, stop, value):
    """Store `count` lanes, or all where the others fall on rows that are still to be written.

    A masked store is many times slower.
    """
    if start + lanes(array) <= stop:
        store(array, start, value)
    else:
        store_first(array, start, count, value)


@jit
def _weighted_distance(start, logits, weight, top):
    """Sum of weight * (logit - top); a class of weight 0 may have the logit -inf."""
    classes, step = logits.shape[1], lanes(logits)
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
def _backward_serial(gradient, row_scale, out_dlogits):
    _scale_rows(0, gradient.shape[0], gradient, row_scale, out_dlogits)


@parallel
def _backward_parallel(gradient, row_scale, out_dlogits):
    """Parallel over groups of rows."""
    rows, classes = gradient.shape
    group = max(1, _TASK // classes)
    for index in prange((rows + group - 1) // group):
        first = np.int64(index) * group
        _scale_rows(first, min(first + group, rows), gradient, row_scale, out_dlogits)


@jit
def _scale_rows(first, last, gradient, row_scale, out_dlogits):
    classes, step = gradient.shape[1], lanes(gradient)
    stop = last * classes
    for row in range(first, last):
        scale = row_scale[row]
        start = row * classes
        end = start + classes
        for i in range(start, end, step):
            count = min(step, end - i)
            value = load_first(gradient, i, count, 0.0) * scale
            _store_within(out_dlogits, i, count, stop, value)
