"""Losses whose target is a class, of log-probabilities and of margins."""

from __future__ import annotations

import math

import numpy as np

from kernels import _memory, hinge
from kernels._labels import checked_labels

from ...autograd.broadcasting import quiet
from ...autograd.results import record
from ...autograd.tensor import Tensor
from ..check import check_no_gradient, check_tensors, number, whole
from .cross_entropy import cross_entropy
from .labels import check_class_weight, check_labels
from .options import check_reduction, needs_gradient

__all__ = ["nll_loss", "multi_margin_loss"]


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: None = None,
    ignore_index: int = -100,
    reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """-input at the target's class, for input of log-probabilities; arguments as `cross_entropy`.

    >>> import nnet as nn, nnet.functional as F
    >>> F.nll_loss(nn.tensor([[-1.0, -2.0], [-3.0, -4.0]]), nn.tensor([0, 1]))
    tensor(2.5)
    """
    op = "nll_loss"
    check_tensors(op, input=input, weight=weight)
    check_no_gradient(op, weight=weight)
    check_reduction(op, reduction, size_average, reduce)
    check_class_weight(op, input, weight)
    check_labels(op, input, target)
    ignore_index = whole(op, "ignore_index", ignore_index)
    x, shape = input.data, input.shape
    classes = shape[min(1, len(shape) - 1)]
    given = checked_labels(op, target.data, target.shape, classes, ignore_index)
    labels = given.reshape(len(x) if x.ndim > 1 else 1, math.prod(shape[2:]))
    counts = labels != ignore_index
    label = np.where(counts, labels, 0)
    # Positions in the flat (N, C, d1 d2 ...).
    samples, positions = label.shape
    index = (np.arange(samples)[:, None] * classes + label) * positions + np.arange(positions)
    weights = counts * (1.0 if weight is None else weight.data[label].astype(np.float64))
    divisor = weights.sum() if reduction == "mean" else np.float64(1)
    with quiet():
        losses = np.where(counts, -x.reshape(-1)[index] * weights, 0.0)
        y = losses.reshape(target.shape) if reduction == "none" else losses.sum() / divisor
        y = np.asarray(y).astype(x.dtype)

    def backward(dy: np.ndarray) -> np.ndarray:
        dx = _memory.zeros(shape, dy.dtype)
        slopes = -weights / divisor * (dy.reshape(labels.shape) if reduction == "none" else dy)
        dx.reshape(-1)[index[counts]] = slopes[counts]
        return dx

    return record(y, (input,), backward)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """The multi-class support vector machine's loss, of scores against the label's score.

    weight[y] / C * sum over c != y of max(0, margin - input[y] + input[c])^p, y the label.

    input   scores (N, C) or (C,)
    target  labels (N,) or () of an integer dtype
    p       1 or 2
    weight  (C,), of the classes; "mean" divides by N all the same

    Raises TypeError for other dtypes, ValueError for other shapes and values.

    >>> import nnet as nn, nnet.functional as F
    >>> 3 * F.multi_margin_loss(nn.tensor([[3.0, 5.0, 2.5]]), nn.tensor([0]))
    tensor(3.5)
    """
    op = "multi_margin_loss"
    margin = number(op, "margin", margin)
    check_tensors(op, input=input, weight=weight)
    check_no_gradient(op, weight=weight)
    check_reduction(op, reduction, size_average, reduce)
    if input.ndim not in (1, 2):
        raise ValueError(f"{op}: expected input of shape (N, C) or (C,), got {input.shape}")
    if p not in (1, 2):
        raise ValueError(f"{op}: expected p 1 or 2, got {p!r}")
    check_class_weight(op, input, weight)
    check_labels(op, input, target)
    rows, shape = input.data.reshape(-1, input.shape[-1]), input.shape
    loss, saved = hinge.forward(
        rows,
        target.data.reshape(-1),
        None if weight is None else weight.data,
        power=p,
        margin=margin,
        divisor={"mean": len(rows), "sum": 1}.get(reduction),
        gradient=needs_gradient(input),
    )
    return record(
        loss if loss.ndim == 0 else loss.reshape(target.shape),
        (input,),
        lambda dy: hinge.backward(dy.reshape(loss.shape), saved).reshape(shape),
    )


# Their mean is over labels that are not ignored, by weight; axis 1 of input counts classes.
OF_LABELS = (cross_entropy, nll_loss)
