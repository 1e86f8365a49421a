"""The multi-class support vector machine's loss; the arguments are those of the reference.

Bound: 2 values an element for 5 operations: memory speed. Rows are independent, so any partition
gives the same bits.
"""

import numpy as np

from .._jit import jit, parallel_loops, prange
from .._simd import fma, full, lanes, load_first, select, store_first, sum_lanes

_TASK = 1 << 14

# Sums run in lanes of x's dtype over at most so many elements, then go on in float64.
_BLOCK = 1024


def forward(x, labels, weight, power, margin, scale, out_loss, out_gradient):
    _forward(power, margin, scale, x, labels, weight, out_loss, out_gradient)


def backward(gradient, row_scale, out_dx):
    _backward(gradient, row_scale, out_dx)


@jit
def _forward_rows(begin, end, options, x, labels, weight, out_loss, out_gradient):
    power, margin, scale = options
    classes, step = x.shape[1], lanes(x)
    for row in range(begin, end):
        label = labels[row]
        start = row * classes
        factor = weight[label] / classes
        short = margin - x[row, label]
        total, slopes = 0.0, 0.0
        for block in range(0, classes, _BLOCK):
            sums, pulls = full(x, 0.0), full(x, 0.0)
            for c in range(block, min(block + _BLOCK, classes), step):
                count = classes - c
                slack = load_first(x, start + c, count, -np.inf) + short
                value = select(slack <= 0.0, 0.0, slack)
                slope = select(slack <= 0.0, 0.0, slack * 0.0 + 1.0)
                if power == 2:
                    slope = value + value
                    # Left to the compiler, the rounding would depend on what else is asked for.
                    sums = fma(value, value, sums)
                else:
                    sums += value
                pulls += slope
                if out_gradient.size:
                    store_first(out_gradient, start + c, count, slope * (factor * scale))
            total += sum_lanes(sums)
            slopes += sum_lanes(pulls)
        # The label met itself at a slack of `margin`.
        own = short + x[row, label]
        if own > 0.0:
            total -= own * own if power == 2 else own
            slopes -= 2.0 * own if power == 2 else 1.0
        out_loss[row] = total * factor
        if out_gradient.size:
            out_gradient[row, label] = -slopes * (factor * scale)


@parallel_loops
def _forward(power, margin, scale, x, labels, weight, out_loss, out_gradient):
    """Parallel over groups of rows; one group if there is little."""
    rows, classes = x.shape
    group = rows if x.size < _TASK else max(1, _TASK // classes)
    if group >= rows:
        options = power, margin, scale
        _forward_rows(0, rows, options, x, labels, weight, out_loss, out_gradient)
    else:
        for index in prange((rows + group - 1) // group):
            begin = np.int64(index) * group
            end = min(begin + group, rows)
            options = power, margin, scale
            _forward_rows(begin, end, options, x, labels, weight, out_loss, out_gradient)


@jit
def _scale_rows(begin, end, gradient, row_scale, out_dx):
    for row in range(begin, end):
        for c in range(gradient.shape[1]):
            out_dx[row, c] = gradient[row, c] * row_scale[row]


@parallel_loops
def _backward(gradient, row_scale, out_dx):
    """Parallel over groups of rows; one group if there is little."""
    rows, classes = gradient.shape
    group = rows if gradient.size < 4 * _TASK else max(1, _TASK // classes)
    if group >= rows:
        _scale_rows(0, rows, gradient, row_scale, out_dx)
    else:
        for index in prange((rows + group - 1) // group):
            begin = np.int64(index) * group
            _scale_rows(begin, min(begin + group, rows), gradient, row_scale, out_dx)
