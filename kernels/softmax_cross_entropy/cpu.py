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
    """`picked` is the label's share of the target, `spread` that of each class."""
    out_loss, out_weight, out_gradient = out
    classes = logits.shape[1]
    for row in range(first, last):
        label = labels[row]
        start, stop = row * classes, last * classes
        if label == ignored:
            out_loss[row] = 0.0
            out_weight[row] = 0.0
            for c in range(classes):
                out_gradient[row, c] = 0.0
            continue
        aimed = picked * weight[label]
        mass = aimed + spread * total_weight
        if classes <= lanes(logits):
            top, total = _short_row(start, stop, logits, weight, mass, spread, out_gradient)
        else:
            top, total = _long_row(start, logits, weight, mass, spread, out_gradient)
        out_gradient[row, label] -= aimed
        log_total = math.log(total)
        loss = 0.0
        if aimed != 0.0:
            loss = aimed * (log_total - (logits[row, label] - top))
        if spread != 0.0:
            distance = _weighted_distance(start, logits, weight, top)
            loss += spread * (total_weight * log_total - distance)
        out_loss[row] = loss
        out_weight[row] = weight[label]


@jit
def _short_row(start, stop, logits, weight, mass, spread, out_gradient):
    """Softmax times mass, less spread, in one value; also the maximum and the sum of exp."""
    classes = logits.shape[1]
    x = load_first(logits, start, classes, -np.inf)
    top = max_lanes(x)
    e = exp(x - top)
    total = sum_lanes(e)
    value = e * (mass / total)
    if spread != 0.0:
        value -= load_first(weight, 0, classes, 0.0) * spread
    # Beyond the row lie the rows that are written next.
    if start + lanes(logits) <= stop:
        store(out_gradient, start, value)
    else:
        store_first(out_gradient, start, classes, value)
    return np.float64(top), total


@jit
def _long_row(start, logits, weight, mass, spread, out_gradient):
    """As _short_row; between the passes out_gradient holds exp."""
    classes, step = logits.shape[1], lanes(logits)
    rest = classes % step
    whole = classes - rest
    highest = full(logits, -np.inf)
    for c in range(0, whole, step):
        highest = maximum(highest, load(logits, start + c))
    if rest:
        highest = maximum(highest, load_first(logits, start + whole, rest, -np.inf))
    top = max_lanes(highest)

    total = 0.0
    for block in range(0, whole, _BLOCK):
        sums = full(logits, 0.0)
        for c in range(block, min(block + _BLOCK, whole), step):
            e = exp(load(logits, start + c) - top)
            store(out_gradient, start + c, e)
            sums += e
        total += sum_lanes(sums)
    if rest:
        e = exp(load_first(logits, start + whole, rest, -np.inf) - top)
        store_first(out_gradient, start + whole, rest, e)
        total += sum_lanes(e)

    scale = mass / total
    for c in range(0, whole, step):
        value = load(out_gradient, start + c) * scale
        if spread != 0.0:
            value -= load(weight, c) * spread
        store(out_gradient, start + c, value)
    if rest:
        value = load_first(out_gradient, start + whole, rest, 0.0) * scale
        if spread != 0.0:
            value -= load_first(weight, whole, rest, 0.0) * spread
        store_first(out_gradient, start + whole, rest, value)
    return np.float64(top), total


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
        for c in range(0, classes, step):
            i = row * classes + c
            # Beyond the row lie the rows that are written next.
            if i + step <= stop:
                store(out_dlogits, i, load(gradient, i) * scale)
            else:
                value = load_first(gradient, i, stop - i, 0.0) * scale
                store_first(out_dlogits, i, stop - i, value)
