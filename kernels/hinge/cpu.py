"""The multi-class support vector machine's loss; the arguments are those of the reference.

Bound: 2 values an element for 5 operations: memory speed. Rows are independent, so any partition
gives the same bits.
"""

import numpy as np

from kernels._jit import parallel
from kernels._scaling import scale_samples
from kernels._simd import fma, full, lanes, load_first, select, store_first, sum_lanes
from kernels._tasks import share_out

# Elements a task; as few take one thread no longer than others need to wake.
_TASK = 1 << 14

# Sums run in lanes of x's dtype over at most so many elements, then go on in float64.
_BLOCK = 1024


def forward(x, labels, weight, power, margin, scale, out_loss, out_gradient):
    rows, classes = x.shape
    tasks, span = share_out(rows, max(1, _TASK // classes), (_TASK - 1) // classes)
    _forward(tasks, span, power, margin, scale, x, labels, weight, out_loss, out_gradient)


def backward(gradient, row_scale, out_dx):
    scale_samples(gradient[..., None], row_scale[:, None], out_dx[..., None])


@parallel
def _forward(task, span, power, margin, scale, x, labels, weight, out_loss, out_gradient):
    rows, classes = x.shape
    width = lanes(x)
    for row in range(task * span, min(task * span + span, rows)):
        label = labels[row]
        start = row * classes
        factor = weight[label] / classes
        short = margin - x[row, label]
        total, slopes = 0.0, 0.0
        for block in range(0, classes, _BLOCK):
            sums, pulls = full(x, 0.0), full(x, 0.0)
            for c in range(block, min(block + _BLOCK, classes), width):
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
