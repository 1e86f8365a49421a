"""Losses element by element, with their gradients; the arguments are those of the reference.

Bound: forward reads x and the target and writes the gradient, 3 values an element, for 3 to 60
operations: memory speed but for the logarithms, whose 60 operations take about as long. backward
moves 2 values for 1 operation. Parallel over chunks of a fixed size, whose sums are added in order.
"""

import numpy as np

from .._jit import jit, parallel_loops, prange
from .._simd import first, full, lanes, load, load_first, select, store, store_first, sum_lanes
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
    _forward(formula, scale, x, target, weight, pos_weight, out_loss, out_sums, out_gradient)


def backward(gradient, dloss, out_dx):
    _backward(gradient, dloss, out_dx)


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


@parallel_loops
def _forward(formula, scale, x, target, weight, pos_weight, out_loss, out_sums, out_gradient):
    if x.size < _SERIAL_BELOW:
        given = x, target, weight, pos_weight
        for chunk in range(out_sums.size):
            begin = chunk * CHUNK
            end = min(begin + CHUNK, x.size)
            out_sums[chunk] = _forward_range(
                begin, end, formula, scale, given, out_loss, out_gradient
            )
    else:
        for index in prange(out_sums.size):
            chunk = np.int64(index)
            begin = np.int64(chunk) * CHUNK
            end = min(begin + CHUNK, x.size)
            given = x, target, weight, pos_weight
            out_sums[chunk] = _forward_range(
                begin, end, formula, scale, given, out_loss, out_gradient
            )


@jit
def _backward_range(begin, end, gradient, dloss, out_dx):
    step = lanes(gradient)
    alike = full(gradient, dloss[0])
    for i in range(begin, end, step):
        count = min(step, end - i)
        factor = alike
        if dloss.size > 1:
            factor = _load(dloss, i, count)
        _store(out_dx, i, count, _load(gradient, i, count) * factor)


@parallel_loops
def _backward(gradient, dloss, out_dx):
    if gradient.size < 2 * _SERIAL_BELOW:
        _backward_range(0, gradient.size, gradient, dloss, out_dx)
    else:
        for index in prange((gradient.size + CHUNK - 1) // CHUNK):
            chunk = np.int64(index)
            begin = np.int64(chunk) * CHUNK
            end = min(begin + CHUNK, gradient.size)
            _backward_range(begin, end, gradient, dloss, out_dx)
