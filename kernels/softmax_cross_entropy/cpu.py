"""Cross entropy of the softmax of logits; the arguments are those of the reference.

Bound: forward reads logits and writes the gradient, 2 values an element, for about 20 operations:
exp sets the pace, until 8 bytes an element come from memory. A row of up to 100,000 classes stays
in the cache over its passes, for the maximum, for exp with its sum, and for the scale. backward
moves 2 values for 1 operation: memory speed. Samples are independent, so any partition gives the
same bits.

work_samples  (threads, scratch_size(logits)) of the logits' dtype
"""

import numpy as np

from .._jit import jit, parallel_loops, prange, thread_id
from .._simd import VALUE_BYTES, lanes, load, load_first, store, store_first
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
    _, classes, positions = logits.shape
    spread = label_smoothing / classes
    total_weight = float(weight.sum(dtype=np.float64)) if spread else 0.0
    aims = 1.0 - label_smoothing, spread, total_weight, ignore_index, scale
    flat = logits.reshape(-1), labels.reshape(-1)
    out = out_loss.reshape(-1), out_gradient.reshape(-1)
    _forward(*_shares(logits), (classes, positions), *flat, weight, aims, work_samples, *out)


def _shares(logits):
    """How many units of work there are, rows or groups of samples, and how many a task takes."""
    samples, classes, positions = logits.shape
    lanes_of = VALUE_BYTES // logits.itemsize
    if _is_long(classes, positions):
        units, size = samples, classes
    else:
        across = -(-positions // lanes_of)
        units = samples * across if positions > 1 else -(-samples // lanes_of)
        size = classes * lanes_of
    return units, units if logits.size < _TASK else max(1, _TASK // size)


def forward_soft(logits, target, weight, label_smoothing, scale, out_loss, out_gradient):
    rows, classes, _ = logits.shape
    aims = weight, 1.0 - label_smoothing, label_smoothing / classes, scale
    some = rows if logits.size < _TASK else max(1, _TASK // classes)
    flat = logits.reshape(-1), target.reshape(-1)
    _forward_soft(rows, some, classes, *flat, aims, out_loss.reshape(-1), out_gradient.reshape(-1))


def backward(gradient, sample_scale, out_dlogits):
    _, classes, positions = gradient.shape
    flat = gradient.reshape(-1), out_dlogits.reshape(-1)
    if sample_scale.size == 1:
        _backward_all(sample_scale.item(), *flat)
    else:
        _backward_each(classes, positions, sample_scale.reshape(-1), *flat)


@jit
def _is_long(classes, positions):
    return positions == 1 and classes > _SHORT


@jit
def _forward_units(begin, end, shape, problem, work, own, out):
    if _is_long(*shape):
        long_rows(begin, end, shape, problem, work, own, out)
    else:
        side_by_side(begin, end, shape, problem, work, own, out)


@parallel_loops
def _forward(
    units, some, shape, logits, labels, weight, aims, work_samples, out_loss, out_gradient
):
    """Parallel over tasks of `some` units."""
    work, size = work_samples.reshape(-1), work_samples.shape[1]
    if units <= some:
        problem, out = (logits, labels, weight, aims), (out_loss, out_gradient)
        _forward_units(0, units, shape, problem, work, 0, out)
    else:
        for index in prange((units + some - 1) // some):
            task = np.int64(index)
            begin = np.int64(task) * some
            own = thread_id() * size
            problem, out = (logits, labels, weight, aims), (out_loss, out_gradient)
            _forward_units(begin, min(begin + some, units), shape, problem, work, own, out)


@parallel_loops
def _forward_soft(rows, some, classes, logits, target, aims, out_loss, out_gradient):
    """Parallel over tasks of `some` rows."""
    if rows <= some:
        soft_rows(0, rows, classes, (logits, target, aims), (out_loss, out_gradient))
    else:
        for index in prange((rows + some - 1) // some):
            task = np.int64(index)
            begin = np.int64(task) * some
            problem, out = (logits, target, aims), (out_loss, out_gradient)
            soft_rows(begin, min(begin + some, rows), classes, problem, out)


@jit
def _scale_range(begin, end, factor, gradient, out_dlogits):
    step = lanes(gradient)
    rest = (end - begin) % step
    for i in range(begin, end - rest, step):
        store(out_dlogits, i, load(gradient, i) * factor)
    if rest:
        i = end - rest
        store_first(out_dlogits, i, rest, load_first(gradient, i, rest, 0.0) * factor)


@parallel_loops
def _backward_all(factor, gradient, out_dlogits):
    """Parallel over chunks."""
    if gradient.size < 4 * _TASK:
        _scale_range(0, gradient.size, factor, gradient, out_dlogits)
    else:
        for index in prange((gradient.size + _TASK - 1) // _TASK):
            chunk = np.int64(index)
            begin = np.int64(chunk) * _TASK
            _scale_range(begin, min(begin + _TASK, gradient.size), factor, gradient, out_dlogits)


@jit
def _scale_images(begin, end, classes, positions, sample_scale, gradient, out_dlogits):
    for image in range(begin, end):
        for c in range(classes):
            start = (image * classes + c) * positions
            for p in range(positions):
                factor = sample_scale[image * positions + p]
                out_dlogits[start + p] = gradient[start + p] * factor


@parallel_loops
def _backward_each(classes, positions, sample_scale, gradient, out_dlogits):
    """Parallel over groups of images, or rows."""
    size = classes * positions
    images = gradient.size // size
    if gradient.size < 4 * _TASK:
        _scale_images(0, images, classes, positions, sample_scale, gradient, out_dlogits)
    else:
        group = max(1, _TASK // size)
        for index in prange((images + group - 1) // group):
            begin = np.int64(index) * group
            end = min(begin + group, images)
            _scale_images(begin, end, classes, positions, sample_scale, gradient, out_dlogits)
