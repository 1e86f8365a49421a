"""Losses whose target is a class."""

from __future__ import annotations

import math

import numpy as np

from kernels import _memory, hinge, softmax_cross_entropy
from kernels import softmax as softmax_op
from kernels._labels import checked_labels

from ...autograd.broadcasting import fit, quiet
from ...autograd.results import record
from ...autograd.tensor import Tensor
from ..check import check_no_gradient, check_tensors, number, promoted, whole
from .options import check_reduction, needs_gradient

__all__ = ["cross_entropy", "nll_loss", "multi_margin_loss"]


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: None = None,
    ignore_index: int = -100,
    reduce: None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log softmax(input) at the target's class: `log_softmax` and `nll_loss` in one pass.

    input            scores (N, C), (C,) or (N, C, d1, ...), float32 or float64
    target           labels (N,), () or (N, d1, ...) of an integer dtype; or probabilities of
                     input's shape
    weight           (C,), of the classes; "mean" divides by the weights of the labels, or by N for
                     probabilities
    ignore_index     a label that counts for nothing; if all do, the mean is NaN
    reduction        "mean", "sum" or "none"
    label_smoothing  share of the target that is spread over all classes

    Gradients to input, and with probabilities to these and to weight too.

    Raises TypeError for other dtypes, ValueError for shapes that do not fit, for labels outside
    [0, C) and for size_average or reduce, which PyTorch deprecated, RuntimeError for a weight of
    labels that needs a gradient.

    >>> import nnet as nn, nnet.functional as F
    >>> F.cross_entropy(nn.zeros(2, 10), nn.tensor([3, 7]))
    tensor(2.3025851)
    """
    op = "cross_entropy"
    label_smoothing = number(op, "label_smoothing", label_smoothing)
    check_reduction(op, reduction, size_average, reduce)
    if isinstance(target, Tensor) and target.data.dtype.kind == "f":
        input, target, weight = promoted(input, target, weight)
        check_tensors(op, input=input, target=target, weight=weight)
        _check_weight(op, input, weight)
        return _with_probabilities(input, target, weight, reduction, label_smoothing)
    check_tensors(op, input=input, weight=weight)
    _check_weight(op, input, weight)
    if weight is not None:
        check_no_gradient(op, weight=weight)
    _check_labels(op, input, target)
    ignore_index = whole(op, "ignore_index", ignore_index)
    x, labels = input.data, target.data
    shape, alone = x.shape, x.ndim == 1
    loss, saved = softmax_cross_entropy.forward(
        x[None] if alone else x,
        labels.reshape(1) if alone else labels,
        None if weight is None else weight.data,
        label_smoothing=label_smoothing,
        ignore_index=ignore_index,
        reduction=reduction,
        gradient=needs_gradient(input),
    )

    def backward(dy: np.ndarray) -> np.ndarray:
        dloss = dy[None] if alone and reduction == "none" else dy
        return softmax_cross_entropy.backward(dloss, saved).reshape(shape)

    return record(loss.reshape(()) if alone else loss, (input,), backward)


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
    _check_weight(op, input, weight)
    _check_labels(op, input, target)
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
    _check_weight(op, input, weight)
    _check_labels(op, input, target)
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


def _with_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, label_smoothing: float
) -> Tensor:
    if not input.ndim or target.shape != input.shape:
        raise ValueError(
            f"cross_entropy: expected probabilities of shape {input.shape}, got {target.shape}"
        )
    logits, probabilities = _classes_last(input), _classes_last(target)
    x, t = logits.data, probabilities.data
    weights = None if weight is None else weight.data
    to_target = needs_gradient(target)
    to_weight = weight is not None and needs_gradient(weight)
    loss, saved = softmax_cross_entropy.forward_soft(
        x,
        t,
        weights,
        label_smoothing=label_smoothing,
        reduction=reduction,
        gradient=needs_gradient(input),
    )

    def backward(dy: np.ndarray) -> tuple[np.ndarray | None, ...]:
        dx = softmax_cross_entropy.backward(dy, saved) if saved.gradient.shape == x.shape else None
        if not to_target and not to_weight:
            return dx, None, None
        by_class = -softmax_op.forward(x, 1, log=True)[0]
        with quiet():
            share = dy[:, None] if reduction == "none" else dy
            if reduction == "mean":
                share = share / x.dtype.type(len(x))
            kept = x.dtype.type(1 - label_smoothing)
            dt = by_class * share * kept * (1 if weights is None else weights)
            if not to_weight:
                return dx, dt, None
            smooth = t * kept + x.dtype.type(label_smoothing / x.shape[1])
            # A class of probability 0 counts for nothing even where its logit is -inf.
            dw = fit(np.where(smooth == 0, 0, smooth * by_class * share), x.shape[1:])
        return dx, dt if to_target else None, dw

    losses = record(loss, (logits, probabilities, weight), backward)
    if reduction != "none":
        return losses
    return losses.reshape(input.shape[:1] + input.shape[2:] if input.ndim > 1 else ())


def _classes_last(input: Tensor) -> Tensor:
    """(C,), (N, C) or (N, C, d1, ...) as (rows, C)."""
    if input.ndim < 3:
        return input.reshape(-1, input.shape[-1])
    return input.permute(0, *range(2, input.ndim), 1).reshape(-1, input.shape[1])


def _check_labels(op: str, input: Tensor, target: Tensor) -> None:
    """A label for each sample; their range is checked by the kernel."""
    if not isinstance(target, Tensor):
        raise TypeError(f"{op}: expected target to be a tensor, got {type(target).__name__}")
    labels, shape = target.data, input.data.shape
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{op}: expected target of an integer dtype, got {labels.dtype}")
    if not shape:
        raise ValueError(f"{op}: expected input of shape (N, C), got {shape}")
    expected = shape[:1] + shape[2:] if len(shape) > 1 else ()
    if labels.shape != expected:
        raise ValueError(
            f"{op}: expected target of shape {expected} for input {shape}, got {labels.shape}"
        )


def _check_weight(op: str, input: Tensor, weight: Tensor | None) -> None:
    if weight is None:
        return
    classes = input.shape[min(input.ndim - 1, 1)] if input.ndim else 0
    if weight.shape != (classes,):
        raise ValueError(f"{op}: expected weight of shape ({classes},), got {weight.shape}")


# Their mean is over labels that are not ignored, by weight; axis 1 of input counts classes.
OF_LABELS = (cross_entropy, nll_loss)
