"""From sums over classes to losses and gradients.

A group of up to `lanes` long rows keeps its numbers in scratch, each kind in a value of its own:
the greatest logit, the sum of exp(logit - greatest), the factor of exp in the gradient, the sum of
weight * (logit - greatest), the label's part of the target, and its logit.

`place` is (start, pitch, apart): sample j has class c's logit at start + j * apart + c * pitch.
"""

from typing import NamedTuple

from kernels._jit import jit
from kernels._math import log
from kernels._simd import lanes, load, select, store, store_as

TOP, TOTAL, FACTOR, DISTANCE, LABEL_TARGET, LABEL_LOGIT, KINDS = range(7)


class Target(NamedTuple):
    """A class's target is weight * class_share, the label's besides weight * label_share."""

    label_share: float
    class_share: float
    weight_sum: float  # of all classes
    ignore_index: int
    scale: float  # of the gradient


@jit
def losses_and_factors(target, label_target, below, total, distance):
    """Of samples whose label has the logit `below` less than the greatest."""
    target_sum = label_target + target.class_share * target.weight_sum
    loss = target_sum * log(total) - label_target * select(label_target == 0.0, 0.0, below)
    if target.class_share != 0.0:
        loss -= distance * target.class_share
    return loss, target_sum * target.scale / total


@jit
def finish_losses(first, count, place, logits, labels, weight, target, work, own, out_loss):
    """Losses and factors of samples first, first + 1, ..., whose sums stand in `work`."""
    start, pitch, apart = place
    width = lanes(logits)
    some_ignored = False
    for j in range(count):
        label = labels[first + j]
        if label == target.ignore_index:
            some_ignored = True
            label = 0
        work[own + LABEL_TARGET * width + j] = target.label_share * weight[label]
        work[own + LABEL_LOGIT * width + j] = logits[start + j * apart + label * pitch]

    loss, factor = losses_and_factors(
        target,
        load(work, own + LABEL_TARGET * width),
        load(work, own + LABEL_LOGIT * width) - load(work, own + TOP * width),
        load(work, own + TOTAL * width),
        load(work, own + DISTANCE * width),
    )
    store(work, own + FACTOR * width, factor)
    if count == width:
        store_as(out_loss, first, loss)
    else:
        store(work, own + LABEL_LOGIT * width, loss)
        for j in range(count):
            out_loss[first + j] = work[own + LABEL_LOGIT * width + j]
    if some_ignored:
        for j in range(count):
            if labels[first + j] == target.ignore_index:
                out_loss[first + j] = 0.0


@jit
def subtract_labels(first, count, place, classes, labels, weight, target, gradient):
    """Subtract the label's part of the target; ignored samples get no gradient."""
    start, pitch, apart = place
    for j in range(count):
        label = labels[first + j]
        at = start + j * apart
        if label == target.ignore_index:
            for c in range(classes):
                gradient[at + c * pitch] = 0.0
        else:
            label_target = target.label_share * weight[label]
            gradient[at + label * pitch] -= target.scale * label_target
