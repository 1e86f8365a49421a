"""Cross entropy, of labels and of probabilities."""

from __future__ import annotations

import numpy as np

from kernels import softmax as softmax_op
from kernels import softmax_cross_entropy

from ...autograd.broadcasting import fit, quiet
from ...autograd.results import record
from ...autograd.tensor import Tensor
from ..check import check_no_gradient, check_tensors, number, promoted, whole
from .labels import check_class_weight, check_labels
from .options import check_reduction, needs_gradient

__all__ = ["cross_entropy"]


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
        check_class_weight(op, input, weight)
        return _with_probabilities(input, target, weight, reduction, label_smoothing)
    check_tensors(op, input=input, weight=weight)
    check_class_weight(op, input, weight)
    if weight is not None:
        check_no_gradient(op, weight=weight)
    check_labels(op, input, target)
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
