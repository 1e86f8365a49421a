"""Cross entropy of the softmax of logits; the arguments are those of the reference.

Bound: forward reads logits and writes the gradient, 2 values an element, for about 20 operations:
exp sets the pace, until 8 bytes an element come from memory. A row of up to 100,000 classes stays
in the cache over its passes, for the maximum, for exp with its sum, and for the scale. backward
moves 2 values for 1 operation: memory speed. Samples are independent, so any partition gives the
same bits.

work_samples  as `forward_scratch` says
"""

import numpy as np

from kernels._jit import thread_rows
from kernels._scaling import scale_samples
from kernels._simd import VALUE_BYTES
from kernels._tasks import share_out
from kernels.softmax_cross_entropy.long_rows import long_rows
from kernels.softmax_cross_entropy.losses import KINDS
from kernels.softmax_cross_entropy.side_by_side import side_by_side
from kernels.softmax_cross_entropy.soft_rows import soft_rows

# One thread needs about 10 us for as many elements, what it costs to wake the others.
_TASK = 1 << 14

# Rows of at most so many classes lie side by side: there no step waits for a sum across lanes.
_SHORT = 100


def forward_scratch(logits):
    _, classes, positions = logits.shape
    step = VALUE_BYTES // logits.itemsize
    values = KINDS if _is_long(classes, positions) else 1 + -(-classes // step) * step
    return {"work_samples": ((thread_rows(), values * step), logits.dtype)}


def forward(
    logits, labels, weight, label_smoothing, ignore_index, scale, work_samples, out_loss,
    out_gradient,
):  # fmt: skip
    samples, classes, positions = logits.shape
    class_share = label_smoothing / classes
    weight_sum = float(weight.sum(dtype=np.float64)) if class_share else 0.0
    target = 1.0 - label_smoothing, class_share, weight_sum, ignore_index, scale
    run = long_rows
    units, size = samples, classes
    if not _is_long(classes, positions):
        run = side_by_side
        units, size = _groups(logits)
    tasks, span = share_out(units, max(1, _TASK // size), units if logits.size < _TASK else 0)
    flat = logits.reshape(-1), labels.reshape(-1)
    out = out_loss.reshape(-1), out_gradient.reshape(-1)
    run(tasks, span, units, (classes, positions), *flat, weight, target, work_samples, *out)


def _is_long(classes, positions):
    return positions == 1 and classes > _SHORT


def _groups(logits):
    """How many groups of samples side by side there are, and elements in each."""
    samples, classes, positions = logits.shape
    lanes_of = VALUE_BYTES // logits.itemsize
    across = -(-positions // lanes_of)
    groups = samples * across if positions > 1 else -(-samples // lanes_of)
    return groups, classes * lanes_of


def forward_soft(logits, target, weight, label_smoothing, scale, out_loss, out_gradient):
    rows, classes, _ = logits.shape
    shares = 1.0 - label_smoothing, label_smoothing / classes
    tasks, span = share_out(rows, max(1, _TASK // classes), (_TASK - 1) // classes)
    flat = logits.reshape(-1), target.reshape(-1)
    out = out_loss.reshape(-1), out_gradient.reshape(-1)
    soft_rows(tasks, span, rows, classes, *flat, weight, shares, scale, *out)


def backward(gradient, sample_scale, out_dlogits):
    scale_samples(gradient, sample_scale, out_dlogits)
