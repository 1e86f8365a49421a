"""Probabilities as targets: a row's loss and gradient, lanes along the row."""

import math

import numpy as np

from kernels._jit import jit, parallel
from kernels._math import decay
from kernels._simd import (
    fma,
    full,
    lanes,
    load_first,
    max_lanes,
    maximum,
    select,
    store_first,
    sum_lanes,
)

_BLOCK = 1024


@parallel
def soft_rows(
    task, span, rows, classes, logits, target, weight, shares, scale, out_loss, out_gradient
):
    """shares is (label_share, class_share): t = weight * (label_share * target + class_share)."""
    width = lanes(logits)
    wanted = out_gradient.size > 0
    for row in range(task * span, min(task * span + span, rows)):
        start = row * classes
        highest = full(logits, -np.inf)
        for c in range(0, classes, width):
            highest = maximum(highest, load_first(logits, start + c, classes - c, -np.inf))
        top = max_lanes(highest)
        total = target_sum = distance = 0.0
        for block in range(0, classes, _BLOCK):
            exps, sums, distances = full(logits, 0.0), full(logits, 0.0), full(logits, 0.0)
            for c in range(block, min(block + _BLOCK, classes), width):
                below = load_first(logits, start + c, classes - c, -np.inf) - top
                exps += decay(below)
                t = _targets(start, c, classes, target, weight, shares)
                sums += t
                # A class whose target is 0 may have probability 0.
                distances = fma(t, select(t == 0.0, 0.0, below), distances)
            total += sum_lanes(exps)
            target_sum += sum_lanes(sums)
            distance += sum_lanes(distances)
        out_loss[row] = target_sum * math.log(total) - distance
        if wanted:
            factor = scale * target_sum / total
            for c in range(0, classes, width):
                e = decay(load_first(logits, start + c, classes - c, -np.inf) - top)
                t = _targets(start, c, classes, target, weight, shares)
                store_first(out_gradient, start + c, classes - c, e * factor - t * scale)


@jit
def _targets(start, c, classes, target, weight, shares):
    label_share, class_share = shares
    count = classes - c
    share = load_first(target, start + c, count, 0.0) * label_share + class_share
    return share * load_first(weight, c, count, 0.0)
