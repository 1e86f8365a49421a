"""Losses element by element, with their gradients; the arguments are those of the reference.

work_sums  as `forward_scratch` says: the sums of chunks

Bound: forward reads x and the target and writes the gradient, 3 values an element, for 3 to 60
operations: memory speed but for the logarithms, whose 60 operations take about as long. backward
moves 2 values for 1 operation. Parallel over chunks of a fixed size, whose sums are added in order.
"""

import numpy as np

from kernels._jit import jit, parallel
from kernels._scaling import scale_elements
from kernels._simd import first, full, lanes, load_some, select, store_some, sum_lanes
from kernels._tasks import share_out
from kernels.pointwise_loss.formulas import KINDS, element

# Elements of which the losses are added in one go, then those sums in their order.
CHUNK = 1 << 14

# Sums run in lanes of x's dtype over at most so many elements, then go on in float64.
_BLOCK = 1024

# Up to so many elements it does not pay to wake a second thread (5 us and more).
_ALONE = (1 << 15) - 1


def forward_scratch(x):
    return {"work_sums": (-(-x.size // CHUNK), np.float64)}


def forward(
    kind, x, target, weight, pos_weight, parameter, scale, work_sums, out_loss, out_sum,
    out_gradient,
):  # fmt: skip
    formula = KINDS.index(kind), parameter
    tasks, span = share_out(x.size, CHUNK, _ALONE)
    given = x, target, weight, pos_weight
    _forward(tasks, span, formula, scale, *given, work_sums, out_loss, out_gradient)
    out_sum[0] = work_sums.sum()


def backward(gradient, dloss, out_dx):
    scale_elements(gradient, dloss, out_dx)


@jit
def _forward_range(begin, end, formula, scale, given, out_loss, out_gradient):
    """The sum of the losses from `begin` to `end`."""
    x, target, weight, pos_weight = given
    width = lanes(x)
    total = 0.0
    for block in range(begin, end, _BLOCK):
        sums = full(x, 0.0)
        for i in range(block, min(block + _BLOCK, end), width):
            count = min(width, end - i)
            pull = full(x, 1.0)
            if pos_weight.size:
                pull = load_some(pos_weight, i, count, 0.0)
            t = load_some(target, i, count, 0.0)
            value, slope = element(formula, load_some(x, i, count, 0.0), t, pull)
            if weight.size:
                factor = load_some(weight, i, count, 0.0)
                value *= factor
                slope *= factor
            if out_loss.size:
                store_some(out_loss, i, count, value)
            if out_gradient.size:
                store_some(out_gradient, i, count, slope * scale)
            sums += select(first(x, count), value, 0.0)
        total += sum_lanes(sums)
    return total


@parallel
def _forward(
    task, span, formula, scale, x, target, weight, pos_weight, work_sums, out_loss, out_gradient
):
    given = x, target, weight, pos_weight
    for begin in range(task * span, min(task * span + span, x.size), CHUNK):
        end = min(begin + CHUNK, x.size)
        work_sums[begin // CHUNK] = _forward_range(
            begin, end, formula, scale, given, out_loss, out_gradient
        )
