"""Probabilities as targets: a row's loss and gradient, lanes along the row."""

import math

import numpy as np

from .._jit import jit, parallel
from .._math import decay
from .._simd import fma, full, lanes, load_first, max_lanes, maximum, select, store_first, sum_lanes

_BLOCK = 1024


@parallel
def soft_rows(task, span, rows, classes, logits, target, aims, out_loss, out_gradient):
    """Rows from task * span on; `aims` is (weight, kept, spread, the gradient's factor)."""
    scale = aims[3]
    step = lanes(logits)
    wanted = out_gradient.size > 0
    for row in range(task * span, min(task * span + span, rows)):
        start = row * classes
        highest = full(logits, -np.inf)
        for c in range(0, classes, step):
            highest = maximum(highest, load_first(logits, start + c, classes - c, -np.inf))
        top = max_lanes(highest)
        total = aimed = distance = 0.0
        for block in range(0, classes, _BLOCK):
            exps, sums, distances = full(logits, 0.0), full(logits, 0.0), full(logits, 0.0)
            for c in range(block, min(block + _BLOCK, classes), step):
                below = load_first(logits, start + c, classes - c, -np.inf) - top
                exps += decay(below)
                aim = _aim(start, c, classes, target, aims)
                sums += aim
                # A class that is not aimed at may have probability 0.
                distances = fma(aim, select(aim == 0.0, 0.0, below), distances)
            total += sum_lanes(exps)
            aimed += sum_lanes(sums)
            distance += sum_lanes(distances)
        out_loss[row] = aimed * math.log(total) - distance
        if wanted:
            factor = scale * aimed / total
            for c in range(0, classes, step):
                e = decay(load_first(logits, start + c, classes - c, -np.inf) - top)
                aim = _aim(start, c, classes, target, aims)
                store_first(out_gradient, start + c, classes - c, e * factor - aim * scale)


@jit
def _aim(start, c, classes, target, aims):
    """weight * (kept * target + spread)"""
    weight, kept, spread, _ = aims
    count = classes - c
    share = load_first(target, start + c, count, 0.0) * kept + spread
    return share * load_first(weight, c, count, 0.0)
