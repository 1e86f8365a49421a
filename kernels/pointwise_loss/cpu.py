"""Losses element by element, with their gradients; the arguments are those of the reference.

Bound: forward reads x and the target and writes the gradient, 3 values an element, for 3 to 60
operations: memory speed but for the logarithms, whose 60 operations take about as long. backward
moves 2 values for 1 operation. Parallel over chunks of a fixed size, whose sums are added in order.
"""

from .._jit import jit, parallel
from .._scaling import scale_elements
from .._simd import first, full, lanes, load_some, select, store_some, sum_lanes
from .._tasks import share_out
from .formulas import element
from .reference import CHUNK, KINDS

# Sums run in lanes of x's dtype over at most so many elements, then go on in float64.
_BLOCK = 1024

# Up to so many elements it does not pay to wake a second thread (5 us and more).
_ALONE = (1 << 15) - 1


def forward(
    kind,
    x,
    target,
    weight,
    pos_weight,
    parameter,
    scale,
    out_loss,
    out_sums,
    out_gradient,
):
    formula = KINDS.index(kind), parameter
    tasks, span = share_out(x.size, CHUNK, _ALONE)
    given = x, target, weight, pos_weight
    _forward(tasks, span, formula, scale, *given, out_loss, out_sums, out_gradient)


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
    task, span, formula, scale, x, target, weight, pos_weight, out_loss, out_sums, out_gradient
):
    given = x, target, weight, pos_weight
    for begin in range(task * span, min(task * span + span, x.size), CHUNK):
        end = min(begin + CHUNK, x.size)
        out_sums[begin // CHUNK] = _forward_range(
            begin, end, formula, scale, given, out_loss, out_gradient
        )
