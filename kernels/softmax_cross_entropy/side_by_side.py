"""Samples side by side, one in each lane: short rows, and images of logits (N, C, S).

A row of 10 classes would leave lanes idle and pay for maxima and sums across lanes. Where classes
lie `positions` apart, a value of neighbours is loaded as it is; short rows, and what does not fill
a value, go through scratch, transposed.
"""

from kernels._jit import jit, parallel, thread_id
from kernels._math import decay
from kernels._simd import fma, full, lanes, load, load_as, maximum, select, store, store_as
from kernels._tile import tile_lanes, transpose_square
from kernels.softmax_cross_entropy.losses import Target, losses_and_factors

# Lanes run over so many classes before they are emptied into another sum.
_BLOCK = 64


@parallel
def side_by_side(
    task, span, groups, shape, logits, labels, weight, target, work_samples, out_loss, out_gradient
):
    """Groups of samples, none of which goes over the end of an image."""
    classes, positions = shape
    target = Target(*target)
    begin, end = task * span, min(task * span + span, groups)
    work, own = work_samples.reshape(-1), thread_id() * work_samples.shape[1]
    width, samples = lanes(logits), labels.size
    wanted = out_gradient.size > 0
    scratch = own + width
    across = (positions + width - 1) // width
    stop = min(end * width, samples) * classes  # of short rows
    for group in range(begin, end):
        if positions == 1:
            first = group * width
            count = min(width, samples - first)
            start, apart = first * classes, classes
        else:
            image, column = group // across, group % across * width
            first = image * positions + column
            count = min(width, positions - column)
            start, apart = image * classes * positions + column, 1
        place = start, positions, apart
        if apart == 1 and count == width:
            label = load_as(labels, first, logits)
            loss = _group(
                start, positions, classes, wanted, label, logits, weight, target, out_gradient
            )
            store_as(out_loss, first, loss)
        else:
            for j in range(count):
                work[own + j] = labels[first + j]
            _gather(count, classes, place, logits, scratch, work)
            loss = _group(
                scratch, width, classes, True, load(work, own), work, weight, target, work
            )
            store(work, own, loss)
            for j in range(count):
                out_loss[first + j] = work[own + j]
            if wanted:
                _scatter(count, classes, place, work, scratch, stop, out_gradient)


@jit
def _gather(count, classes, place, logits, scratch, work):
    """Transpose a group into scratch, by squares in registers where nothing is read beyond it."""
    start, pitch, apart = place
    width, side = lanes(logits), tile_lanes(logits)
    read = (width - 1) * classes + (classes + side - 1) // side * side
    if pitch == 1 and count == width and start + read <= logits.size:
        for c in range(0, classes, side):
            for j in range(0, width, side):
                transpose_square(
                    logits, start + j * classes + c, classes, work, scratch + c * width + j, width
                )
    else:
        for c in range(classes):
            for j in range(count):
                work[scratch + c * width + j] = logits[start + j * apart + c * pitch]


@jit
def _scatter(count, classes, place, work, scratch, stop, out_gradient):
    """The way back. Squares go over the end of rows, so what is there is written afterwards."""
    start, pitch, apart = place
    width, side = lanes(work), tile_lanes(work)
    last = (classes - 1) // side * side
    written = (width - 1) * classes + last + side
    if pitch == 1 and count == width and start + written <= stop:
        for c in range(last, -1, -side):
            for j in range(0, width, side):
                transpose_square(
                    work, scratch + c * width + j, width, out_gradient, start + j * classes + c,
                    classes,
                )  # fmt: skip
    else:
        for j in range(count):
            for c in range(classes):
                out_gradient[start + j * apart + c * pitch] = work[scratch + c * width + j]


@jit
def _group(start, pitch, classes, wanted, label, logits, weight, target, out_gradient):
    """The losses of a group; out_gradient is laid out as the logits."""
    top = load(logits, start)
    for c in range(1, classes):
        top = maximum(top, load(logits, start + c * pitch))

    total, distances = full(logits, 0.0), full(logits, 0.0)
    label_target, label_logit = full(logits, 0.0), full(logits, 0.0)
    for block in range(0, classes, _BLOCK):
        part, distance = full(logits, 0.0), full(logits, 0.0)
        for c in range(block, min(block + _BLOCK, classes)):
            below = load(logits, start + c * pitch) - top
            e = decay(below)
            if wanted:
                store(out_gradient, start + c * pitch, e)
            part += e
            here = label == c
            label_target = select(here, weight[c], label_target)
            label_logit = select(here, below, label_logit)
            # A class of weight 0 may have the logit -inf.
            if target.class_share != 0.0 and weight[c] != 0.0:
                distance = fma(below, weight[c], distance)
        total += part
        distances += distance

    label_target *= target.label_share
    loss, factor = losses_and_factors(target, label_target, label_logit, total, distances)
    counted = label != target.ignore_index
    if wanted:
        label_target *= target.scale
        for c in range(classes):
            value = load(out_gradient, start + c * pitch) * factor
            if target.class_share != 0.0:
                value -= target.scale * target.class_share * weight[c]
            value -= select(label == c, label_target, 0.0)
            store(out_gradient, start + c * pitch, select(counted, value, 0.0))
    return select(counted, loss, 0.0)
