"""Losses element by element, with their gradients; the arguments are those of the reference.

Bound: forward reads x and the target and writes the gradient, 3 values an element, for 3 to 60
operations: memory speed but for the logarithms, whose 60 operations take about as long. backward
moves 2 values for 1 operation. Parallel over chunks of a fixed size, whose sums are added in order.
"""

from .._jit import jit, parallel
from .._simd import first, full, lanes, load, load_first, select, store, store_first, sum_lanes
from .._tasks import share_out
from .formulas import element
from .reference import CHUNK, KINDS

# Sums run in lanes of x's dtype over at most so many elements, then go on in float64.
_BLOCK = 1024

# Where a second thread starts to pay for waking it (5 us and more).
_SERIAL_BELOW = 1 << 15


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
    tasks, span = share_out(x.size, CHUNK, _SERIAL_BELOW - 1)
    given = x, target, weight, pos_weight
    _forward(tasks, span, formula, scale, *given, out_loss, out_sums, out_gradient)


def backward(gradient, dloss, out_dx):
    tasks, span = share_out(gradient.size, CHUNK, 2 * _SERIAL_BELOW - 1)
    _backward(tasks, span, gradient, dloss, out_dx)


@jit
def _load(array, start, count):
    if count >= lanes(array):
        return load(array, start)
    return load_first(array, start, count, 0.0)


@jit
def _store(array, start, count, value):
    if count >= lanes(array):
        store(array, start, value)
    else:
        store_first(array, start, count, value)


@jit
def _forward_range(begin, end, formula, scale, given, out_loss, out_gradient):
    """The sum of the losses from `begin` to `end`."""
    x, target, weight, pos_weight = given
    step = lanes(x)
    total = 0.0
    for block in range(begin, end, _BLOCK):
        sums = full(x, 0.0)
        for i in range(block, min(block + _BLOCK, end), step):
            count = min(step, end - i)
            pull = full(x, 1.0)
            if pos_weight.size:
                pull = _load(pos_weight, i, count)
            value, slope = element(formula, _load(x, i, count), _load(target, i, count), pull)
            if weight.size:
                factor = _load(weight, i, count)
                value *= factor
                slope *= factor
            if out_loss.size:
                _store(out_loss, i, count, value)
            if out_gradient.size:
                _store(out_gradient, i, count, slope * scale)
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


@parallel
def _backward(task, span, gradient, dloss, out_dx):
    step = lanes(gradient)
    alike = full(gradient, dloss[0])
    begin, end = task * span, min(task * span + span, gradient.size)
    for i in range(begin, end, step):
        count = min(step, end - i)
        factor = alike
        if dloss.size > 1:
            factor = _load(dloss, i, count)
        _store(out_dx, i, count, _load(gradient, i, count) * factor)
