"""Samples side by side, one in each lane: short rows, and images of logits (N, C, S).

A row of 10 classes would leave lanes idle and pay for maxima and sums across lanes. Where classes
lie `positions` apart, a value of neighbours is loaded as it is; short rows, and what does not fill
a value, go through scratch, transposed.
"""

from .._jit import jit
from .._math import decay
from .._simd import fma, full, lanes, load, maximum, store
from .._tile import tile_lanes, transpose_square
from .samples import DISTANCE, FACTOR, KINDS, TOP, TOTAL, finish_losses, subtract_labels

# Lanes run over so many classes before they are emptied into another sum.
_BLOCK = 64


@jit
def side_by_side(begin, end, shape, problem, work, own, out):
    """Groups of samples from `begin` to `end`; a group does not go over the end of an image."""
    classes, positions = shape
    logits, labels, aims = problem
    out_loss, out_gradient = out
    step, samples = lanes(logits), labels.size
    wanted = out_gradient.size > 0
    scratch = own + KINDS * step
    across = (positions + step - 1) // step
    stop = min(end * step, samples) * classes  # of short rows
    for group in range(begin, end):
        if positions == 1:
            first = group * step
            count = min(step, samples - first)
            start, apart = first * classes, classes
        else:
            image, column = group // across, group % across * step
            first = image * positions + column
            count = min(step, positions - column)
            start, apart = image * classes * positions + column, 1
        place = start, positions, apart
        if apart == 1 and count == step:
            _sums(start, positions, classes, wanted, logits, aims, work, own, out_gradient)
            finish_losses(first, count, place, problem, work, own, out_loss)
            if wanted:
                _scale(start, positions, classes, aims, work, own, out_gradient)
        else:
            _gather(count, classes, place, logits, scratch, work)
            _sums(scratch, step, classes, True, work, aims, work, own, work)
            finish_losses(first, count, place, problem, work, own, out_loss)
            if wanted:
                _scale(scratch, step, classes, aims, work, own, work)
                _scatter(count, classes, place, work, scratch, stop, out_gradient)
        if wanted:
            subtract_labels(first, count, place, classes, labels, aims, out_gradient)


@jit
def _gather(count, classes, place, logits, scratch, work):
    """Transpose a group into scratch, by squares in registers where nothing is read beyond it."""
    start, pitch, apart = place
    step, side = lanes(logits), tile_lanes(logits)
    read = (step - 1) * classes + (classes + side - 1) // side * side
    if pitch == 1 and count == step and start + read <= logits.size:
        for c in range(0, classes, side):
            for j in range(0, step, side):
                transpose_square(
                    logits, start + j * classes + c, classes, work, scratch + c * step + j, step
                )
    else:
        for c in range(classes):
            for j in range(count):
                work[scratch + c * step + j] = logits[start + j * apart + c * pitch]


@jit
def _scatter(count, classes, place, work, scratch, stop, out_gradient):
    """The way back. Squares go over the end of rows, so what is there is written afterwards."""
    start, pitch, apart = place
    step, side = lanes(work), tile_lanes(work)
    last = (classes - 1) // side * side
    written = (step - 1) * classes + last + side
    if pitch == 1 and count == step and start + written <= stop:
        for c in range(last, -1, -side):
            for j in range(0, step, side):
                transpose_square(
                    work,
                    scratch + c * step + j,
                    step,
                    out_gradient,
                    start + j * classes + c,
                    classes,
                )
    else:
        for j in range(count):
            for c in range(classes):
                out_gradient[start + j * apart + c * pitch] = work[scratch + c * step + j]


@jit
def _sums(start, pitch, classes, wanted, logits, aims, work, own, out_exp):
    weight, _, spread, _, _, _ = aims
    step = lanes(logits)
    top = load(logits, start)
    for c in range(1, classes):
        top = maximum(top, load(logits, start + c * pitch))
    total, distances = full(logits, 0.0), full(logits, 0.0)
    for block in range(0, classes, _BLOCK):
        part, distance = full(logits, 0.0), full(logits, 0.0)
        for c in range(block, min(block + _BLOCK, classes)):
            below = load(logits, start + c * pitch) - top
            e = decay(below)
            if wanted:
                store(out_exp, start + c * pitch, e)
            part += e
            # A class of weight 0 may have the logit -inf.
            if spread != 0.0 and weight[c] != 0.0:
                distance = fma(below, weight[c], distance)
        total += part
        distances += distance
    store(work, own + TOP * step, top)
    store(work, own + TOTAL * step, total)
    store(work, own + DISTANCE * step, distances)


@jit
def _scale(start, pitch, classes, aims, work, own, gradient):
    weight, _, spread, _, _, scale = aims
    step = lanes(gradient)
    factor = load(work, own + FACTOR * step)
    for c in range(classes):
        value = load(gradient, start + c * pitch) * factor
        if spread != 0.0:
            value -= scale * spread * weight[c]
        store(gradient, start + c * pitch, value)
