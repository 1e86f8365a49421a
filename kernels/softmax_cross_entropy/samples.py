"""What long rows and samples side by side have in common.

A group of up to `lanes` samples keeps its numbers in scratch, each kind in a value of its own:
the greatest logit, the sum of exp(logit - greatest), the factor of exp in the gradient, and the
sum of weight * (logit - greatest). Between them the work is a matter of numbers, not of values.

`aims` is (weight, the label's share of the target, that of each class, the sum of weight,
ignore_index, the factor of the gradient); `place` is (start, pitch, apart): sample j has the logit
of class c at start + j * apart + c * pitch.
"""

from .._jit import jit
from .._math import log
from .._simd import lanes, load, select, store, store_as

TOP, TOTAL, FACTOR, DISTANCE, AIMED, CHOSEN, KINDS = range(7)


@jit
def finish_losses(first, count, place, problem, work, own, out_loss):
    """Losses and factors of samples first, first + 1, ..., whose sums stand in `work`."""
    start, pitch, apart = place
    logits, labels, aims = problem
    weight, picked, spread, total_weight, ignored, scale = aims
    step = lanes(logits)
    some_ignored = False
    for j in range(count):
        label = labels[first + j]
        if label == ignored:
            some_ignored = True
            label = 0
        work[own + AIMED * step + j] = picked * weight[label]
        work[own + CHOSEN * step + j] = logits[start + j * apart + label * pitch]

    aimed, total = load(work, own + AIMED * step), load(work, own + TOTAL * step)
    below = load(work, own + CHOSEN * step) - load(work, own + TOP * step)
    aims_total = aimed + spread * total_weight
    store(work, own + FACTOR * step, aims_total * scale / total)
    loss = aims_total * log(total) - aimed * select(aimed == 0.0, 0.0, below)
    if spread != 0.0:
        loss -= load(work, own + DISTANCE * step) * spread
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
def subtract_labels(first, count, place, classes, labels, aims, gradient):
    """Subtract the label's share of the target; ignored samples get no gradient."""
    start, pitch, apart = place
    weight, picked, _, _, ignored, scale = aims
    for j in range(count):
        label = labels[first + j]
        at = start + j * apart
        if label == ignored:
            for c in range(classes):
                gradient[at + c * pitch] = 0.0
        else:
            gradient[at + label * pitch] -= scale * (picked * weight[label])
