"""From sums over classes to losses and gradients.

A group of up to `lanes` long rows keeps its numbers in scratch, each kind in a value of its own:
the greatest logit, the sum of exp(logit - greatest), the factor of exp in the gradient, the sum of
weight * (logit - greatest), the label's share of the target, and its logit.

`aims` is (the label's share of the target, that of each class, the sum of weight, ignore_index, the
factor of the gradient); `place` is (start, pitch, apart): sample j has the logit of class c at
start + j * apart + c * pitch. Arrays are passed by themselves and for many rows at once: to take
one out of a tuple counts a reference, which costs as much as a short row.
"""

from .._jit import jit
from .._math import log
from .._simd import lanes, load, select, store, store_as

TOP, TOTAL, FACTOR, DISTANCE, AIMED, CHOSEN, KINDS = range(7)


@jit
def losses_and_factors(aims, aimed, below, total, distance):
    """Of samples whose label's target is `aimed` and whose logit there is `below` the greatest."""
    _, spread, total_weight, _, scale = aims
    aims_total = aimed + spread * total_weight
    loss = aims_total * log(total) - aimed * select(aimed == 0.0, 0.0, below)
    if spread != 0.0:
        loss -= distance * spread
    return loss, aims_total * scale / total


@jit
def finish_losses(first, count, place, logits, labels, weight, aims, work, own, out_loss):
    """Losses and factors of samples first, first + 1, ..., whose sums stand in `work`."""
    start, pitch, apart = place
    picked, _, _, ignored, _ = aims
    step = lanes(logits)
    some_ignored = False
    for j in range(count):
        label = labels[first + j]
        if label == ignored:
            some_ignored = True
            label = 0
        work[own + AIMED * step + j] = picked * weight[label]
        work[own + CHOSEN * step + j] = logits[start + j * apart + label * pitch]

    loss, factor = losses_and_factors(
        aims,
        load(work, own + AIMED * step),
        load(work, own + CHOSEN * step) - load(work, own + TOP * step),
        load(work, own + TOTAL * step),
        load(work, own + DISTANCE * step),
    )
    store(work, own + FACTOR * step, factor)
    if count == step:
        store_as(out_loss, first, loss)
    else:
        store(work, own + CHOSEN * step, loss)
        for j in range(count):
            out_loss[first + j] = work[own + CHOSEN * step + j]
    if some_ignored:
        for j in range(count):
            if labels[first + j] == ignored:
                out_loss[first + j] = 0.0


@jit
def subtract_labels(first, count, place, classes, labels, weight, aims, gradient):
    """Subtract the label's share of the target; ignored samples get no gradient."""
    start, pitch, apart = place
    picked, _, _, ignored, scale = aims
    for j in range(count):
        label = labels[first + j]
        at = start + j * apart
        if label == ignored:
            for c in range(classes):
                gradient[at + c * pitch] = 0.0
        else:
            gradient[at + label * pitch] -= scale * (picked * weight[label])
