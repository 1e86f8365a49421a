"""Cross entropy of the softmax of logits; the arguments are those of the reference.

Bound: forward reads logits and writes the gradient, 2 values an element, for about 20 operations:
exp sets the pace, until 8 bytes an element come from memory. A row of up to 100,000 classes stays
in the cache over its passes, for the maximum, for exp with its sum, and for the scale. backward
moves 2 values for 1 operation: memory speed. Samples are independent, so any partition gives the
same bits.

work_samples  (threads, scratch_size(logits)) of the logits' dtype
"""

import numpy as np

from .._jit import parallel
from .._simd import VALUE_BYTES, lanes, load, load_first, store, store_first
from .._tasks import share_out
from .columns import side_by_side
from .rows import long_rows
from .samples import KINDS
from .soft import soft_rows

# One thread needs about 10 us for as many elements, what it costs to wake the others.
_TASK = 1 << 14

# Rows of at most so many classes lie side by side: there no step waits for a sum across lanes.
_SHORT = 100


def scratch_size(logits):
    """How many elements of scratch a thread needs."""
    _, classes, positions = logits.shape
    step = VALUE_BYTES // logits.itemsize
    if _is_long(classes, positions):
        return KINDS * step
    return (1 + -(-classes // step) * step) * step


def forward(
    logits,
    labels,
    weight,
    label_smoothing,
    ignore_index,
    scale,
    work_samples,
    out_loss,
    out_gradient,
):
    samples, classes, positions = logits.shape
    spread = label_smoothing / classes
    total_weight = float(weight.sum(dtype=np.float64)) if spread else 0.0
    aims = 1.0 - label_smoothing, spread, total_weight, ignore_index, scale
    run = long_rows
    units, size = samples, classes
    if not _is_long(classes, positions):
        run = side_by_side
        units, size = _groups(logits)
    tasks, span = share_out(units, max(1, _TASK // size), units if logits.size < _TASK else 0)
    flat = logits.reshape(-1), labels.reshape(-1)
    out = out_loss.reshape(-1), out_gradient.reshape(-1)
    run(tasks, span, units, (classes, positions), *flat, weight, aims, work_samples, *out)


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
    aims = weight, 1.0 - label_smoothing, label_smoothing / classes, scale
    tasks, span = share_out(rows, max(1, _TASK // classes), (_TASK - 1) // classes)
    flat = logits.reshape(-1), target.reshape(-1)
    out = out_loss.reshape(-1), out_gradient.reshape(-1)
    soft_rows(tasks, span, rows, classes, *flat, aims, *out)


def backward(gradient, sample_scale, out_dlogits):
    samples, classes, positions = gradient.shape
    flat = gradient.reshape(-1), out_dlogits.reshape(-1)
    if sample_scale.size == 1:
        tasks, span = share_out(gradient.size, _TASK, 4 * _TASK - 1)
        _scale_all(tasks, span, sample_scale.item(), *flat)
    else:
        size = classes * positions
        tasks, span = share_out(samples, max(1, _TASK // size), (4 * _TASK - 1) // size)
        _scale_each(tasks, span, classes, positions, sample_scale.reshape(-1), *flat)


@parallel
def _scale_all(task, span, factor, gradient, out_dlogits):
    begin, end = task * span, min(task * span + span, gradient.size)
    step = lanes(gradient)
    rest = (end - begin) % step
    for i in range(begin, end - rest, step):
        store(out_dlogits, i, load(gradient, i) * factor)
    if rest:
        i = end - rest
        store_first(out_dlogits, i, rest, load_first(gradient, i, rest, 0.0) * factor)


@parallel
def _scale_each(task, span, classes, positions, sample_scale, gradient, out_dlogits):
    """Images, or rows, from task * span on."""
    images = gradient.size // (classes * positions)
    for image in range(task * span, min(task * span + span, images)):
        for c in range(classes):
            start = (image * classes + c) * positions
            for p in range(positions):
                factor = sample_scale[image * positions + p]
                out_dlogits[start + p] = gradient[start + p] * factor
