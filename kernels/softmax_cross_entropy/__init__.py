"""Cross entropy of the softmax of logits (N, C) against labels (N,), as PyTorch defines it.

Row i has the target t = weight * ((1 - label_smoothing) * onehot(label) + label_smoothing / C) and
the loss -sum(t * log p), p = softmax(logits[i]), computed by log-sum-exp. A row whose label is
ignore_index has loss 0 and no gradient. "none" returns the rows' losses, "sum" their sum, "mean"
their sum over the sum of weight[label]; where that is 0, as when all are ignored, it is 0.
"""

from types import ModuleType
from typing import NamedTuple

import numpy as np

from .. import _memory
from .._check import float_arrays, plain
from . import cpu, reference

IMPLEMENTATIONS: dict[str, ModuleType] = {"reference": reference, "cpu": cpu}


class Saved(NamedTuple):
    gradient: np.ndarray  # (N, C), of each row's own loss
    divisor: float | None  # None for "none": each row has a dloss of its own


def forward(
    logits: np.ndarray,
    labels: np.ndarray,
    weight: np.ndarray | None = None,
    *,
    label_smoothing: float = 0.0,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> tuple[np.ndarray, Saved]:
    """Return the loss, 0-d for "mean" and "sum", (N,) for "none".

    logits           (N, C) float32 or float64; -inf masks a class
    labels           (N,) any integer dtype, each in [0, C) or ignore_index
    weight           (C,) of the logits' dtype, or None for ones
    label_smoothing  in [0, 1]

    Raises TypeError for other dtypes; ValueError for other shapes, a label out of range, a
    label_smoothing outside [0, 1], an unknown reduction.

    >>> import numpy as np
    >>> from kernels import softmax_cross_entropy
    >>> loss, saved = softmax_cross_entropy.forward(np.zeros((1, 2)), np.array([1]))
    >>> np.exp(loss), softmax_cross_entropy.backward(np.ones(()), saved)
    (np.float64(2.0), array([[ 0.5, -0.5]]))
    """
    logits, labels, weight = _checked(logits, labels, weight, ignore_index)
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(
            f"softmax_cross_entropy: expected reduction 'mean', 'sum' or 'none', got {reduction!r}"
        )
    if not 0 <= label_smoothing <= 1:
        raise ValueError(
            f"softmax_cross_entropy: expected label_smoothing from 0 to 1, got {label_smoothing}"
        )
    rows = len(labels)
    losses, weights = both = np.empty((2, rows), np.float64)
    gradient = _memory.empty(logits.shape, logits.dtype)
    if rows:
        cpu.forward(
            logits=logits,
            labels=labels,
            weight=weight,
            label_smoothing=float(label_smoothing),
            ignore_index=ignore_index,
            out_loss=losses,
            out_weight=weights,
            out_gradient=gradient,
        )
    divisor = None
    if reduction != "none":
        total, total_weight = both.sum(axis=1).tolist()
        divisor = total_weight if reduction == "mean" else 1.0
        losses = np.array(total / divisor if divisor else 0.0)
    with np.errstate(over="ignore"):  # float32 may end at inf; whoever trains sees that
        loss = losses.astype(logits.dtype)
    return loss, Saved(gradient, divisor)


def backward(dloss: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dlogits (N, C) for dloss of the loss's shape.

    Raises TypeError for another dtype, ValueError for another shape.
    """
    gradient, divisor = saved
    _, dloss = float_arrays("softmax_cross_entropy", logits=gradient, dloss=dloss)
    rows = len(gradient)
    expected = (rows,) if divisor is None else ()
    if dloss.shape != expected:
        raise ValueError(
            f"softmax_cross_entropy: expected dloss of shape {expected}, got {dloss.shape}"
        )
    if divisor is None:
        row_scale = dloss.astype(np.float64)
    else:
        row_scale = np.full(rows, float(dloss) / divisor if divisor else 0.0)
    dlogits = _memory.empty(gradient.shape, gradient.dtype)
    if rows:
        cpu.backward(gradient=gradient, row_scale=row_scale, out_dlogits=dlogits)
    return dlogits


def _checked(
    logits: np.ndarray, labels: np.ndarray, weight: np.ndarray | None, ignore_index: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    op = "softmax_cross_entropy"
    if weight is None:
        (logits,) = float_arrays(op, logits=logits)
    else:
        logits, weight = float_arrays(op, logits=logits, weight=weight)
    if logits.ndim != 2 or logits.shape[1] == 0:
        raise ValueError(f"{op}: expected logits of shape (N, C), C >= 1, got {logits.shape}")
    rows, classes = logits.shape
    if weight is None:
        weight = np.ones(classes, logits.dtype)
    if weight.shape != (classes,):
        raise ValueError(f"{op}: expected weight of shape ({classes},), got {weight.shape}")
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iu":
        got = labels.dtype if isinstance(labels, np.ndarray) else type(labels)
        raise TypeError(f"{op}: expected labels to be an integer array, got {got}")
    if labels.shape != (rows,):
        raise ValueError(f"{op}: expected labels of shape ({rows},), got {labels.shape}")
    plain_labels = plain(labels.astype(np.int64, copy=False))
    # As unsigned numbers negative labels are large ones.
    if rows and plain_labels.view(np.uint64).max() >= classes:
        wrong = ((labels < 0) | (labels >= classes)) & (labels != ignore_index)
        if wrong.any():
            row = int(wrong.argmax())
            raise ValueError(
                f"{op}: expected labels from 0 to {classes - 1} for {classes} classes "
                f"(or {ignore_index} to ignore), got {labels[row]} at row {row}"
            )
    return logits, plain_labels, weight
