"""Cross entropy of the softmax of logits (N, C) or (N, C, d1, ...), as PyTorch defines it.

A sample has a target t over the classes and the loss -sum(t * log p), p = softmax(logits),
computed by log-sum-exp; its gradient is p * sum(t) - t. `forward` takes labels:
t = weight * ((1 - label_smoothing) * onehot(label) + label_smoothing / C), and a sample whose label
is ignore_index has loss 0 and no gradient. `forward_soft` takes probabilities in place of onehot.

The gradient falls off on the way to the loss: forward computes it, divided as the loss is, and
backward has nothing to do where dloss is 1.
"""

import functools
from typing import NamedTuple

import numpy as np

from kernels import _memory
from kernels._check import check_shape, float_arrays
from kernels._device import Implementations, device_of
from kernels._labels import counted_labels
from kernels.softmax_cross_entropy import cpu, reference

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)

_OP = "softmax_cross_entropy"

_LARGEST = float(np.finfo(np.float32).max)


class Saved(NamedTuple):
    gradient: np.ndarray  # of the logits' shape; empty where it was not wanted
    reduced: bool


def forward(
    logits: np.ndarray,
    labels: np.ndarray,
    weight: np.ndarray | None = None,
    *,
    label_smoothing: float = 0.0,
    ignore_index: int = -100,
    reduction: str = "mean",
    gradient: bool = True,
) -> tuple[np.ndarray, Saved]:
    """Return the loss, 0-d for "mean" and "sum", of the labels' shape for "none".

    logits           (N, C) or (N, C, d1, ...) float32 or float64; -inf masks a class
    labels           (N,) or (N, d1, ...) of any integer dtype, each in [0, C) or ignore_index
    weight           (C,) of the logits' dtype, or None for ones
    label_smoothing  in [0, 1]
    reduction        "mean" divides by the sum of weight[label]: NaN where nothing counts
    gradient         whether backward will be called

    Raises TypeError for other dtypes; ValueError for other shapes, a label out of range, a
    label_smoothing outside [0, 1], an unknown reduction.

    >>> import numpy as np
    >>> from kernels import softmax_cross_entropy
    >>> loss, saved = softmax_cross_entropy.forward(np.zeros((1, 2)), np.array([1]))
    >>> np.exp(loss), softmax_cross_entropy.backward(np.ones(()), saved)
    (np.float64(2.0), array([[ 0.5, -0.5]]))
    """
    logits, weight, ones = _checked(logits, weight, label_smoothing, reduction)
    shape, classes = logits.shape[:1] + logits.shape[2:], logits.shape[1]
    labels, count = counted_labels(_OP, labels, shape, classes, ignore_index)
    divisor = 1.0
    if reduction == "mean":
        divisor = float(count) if ones else _weight_of(labels, ignore_index, weight)
    losses, out_gradient = _outputs(logits, shape, gradient)
    if labels.size:
        images = logits.reshape(len(logits), classes, -1)
        implementation = IMPLEMENTATIONS[device_of(logits)]
        implementation.forward(
            logits=images,
            labels=labels.reshape(len(logits), -1),
            weight=weight,
            label_smoothing=float(label_smoothing),
            ignore_index=ignore_index,
            scale=1 / divisor if divisor else np.inf,
            **_memory.scratch(implementation.forward_scratch(images)),
            out_loss=losses.reshape(len(images), -1),
            out_gradient=out_gradient.reshape(-1, *images.shape[1:]),
        )
    loss = _reduced(losses, reduction, divisor, logits.dtype)
    return loss, Saved(out_gradient, reduction != "none")


def forward_soft(
    logits: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray | None = None,
    *,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
    gradient: bool = True,
) -> tuple[np.ndarray, Saved]:
    """Return the loss as `forward` does, for probabilities as targets.

    logits  (N, C) float32 or float64; -inf masks a class of target 0
    target  like logits; numbers are taken as they are
    weight, label_smoothing, gradient as in `forward`; "mean" divides by N

    Raises TypeError and ValueError as `forward`.

    >>> import numpy as np
    >>> from kernels import softmax_cross_entropy
    >>> loss, _ = softmax_cross_entropy.forward_soft(np.zeros((1, 2)), np.array([[0.5, 0.5]]))
    >>> np.exp(loss)
    np.float64(2.0)
    """
    logits, weight, _ = _checked(logits, weight, label_smoothing, reduction)
    if logits.ndim != 2:
        raise ValueError(f"{_OP}: expected logits of shape (N, C), got {logits.shape}")
    logits, target = float_arrays(_OP, logits=logits, target=target)
    check_shape(_OP, "target", target, logits.shape)
    divisor = float(len(logits)) if reduction == "mean" else 1.0
    losses, out_gradient = _outputs(logits, logits.shape[:1], gradient)
    if len(logits):
        IMPLEMENTATIONS[device_of(logits)].forward_soft(
            logits=logits[..., None],
            target=target[..., None],
            weight=weight,
            label_smoothing=float(label_smoothing),
            scale=1 / divisor,
            out_loss=losses[:, None],
            out_gradient=out_gradient[..., None],
        )
    return _reduced(losses, reduction, divisor, logits.dtype), Saved(
        out_gradient, reduction != "none"
    )


def backward(dloss: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dlogits for dloss of the loss's shape; what forward saved itself where dloss is 1.

    Raises TypeError for another dtype, ValueError for another shape.
    """
    gradient, reduced = saved
    _, dloss = float_arrays(_OP, logits=gradient, dloss=dloss)
    check_shape(_OP, "dloss", dloss, () if reduced else gradient.shape[:1] + gradient.shape[2:])
    if reduced and dloss == 1:
        return gradient
    dlogits = _memory.empty(gradient.shape, gradient.dtype)
    if gradient.size:
        images = gradient.reshape(*gradient.shape[:2], -1)
        IMPLEMENTATIONS[device_of(gradient)].backward(
            gradient=images,
            sample_scale=dloss.astype(np.float64).reshape(1 if reduced else len(gradient), -1),
            out_dlogits=dlogits.reshape(images.shape),
        )
    return dlogits


def _checked(
    logits: np.ndarray, weight: np.ndarray | None, label_smoothing: float, reduction: str
) -> tuple[np.ndarray, np.ndarray, bool]:
    """The arrays, and whether weight is ones because None was given."""
    ones = weight is None
    if weight is None:
        (logits,) = float_arrays(_OP, logits=logits)
    else:
        logits, weight = float_arrays(_OP, logits=logits, weight=weight)
    if logits.ndim < 2 or logits.shape[1] == 0:
        raise ValueError(
            f"{_OP}: expected logits of shape (N, C) or (N, C, d1, ...), C >= 1, got {logits.shape}"
        )
    classes = logits.shape[1]
    if weight is None:
        weight = _ones(classes, logits.dtype)
    check_shape(_OP, "weight", weight, (classes,))
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{_OP}: expected reduction 'mean', 'sum' or 'none', got {reduction!r}")
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"{_OP}: expected label_smoothing from 0 to 1, got {label_smoothing}")
    return logits, weight, ones


@functools.lru_cache(maxsize=16)
def _ones(classes: int, dtype: np.dtype) -> np.ndarray:
    return np.ones(classes, dtype)


def _weight_of(labels: np.ndarray, ignore_index: int, weight: np.ndarray) -> float:
    """The sum of weight[label] over the labels that are not ignored."""
    return float(weight[labels[labels != ignore_index]].sum(dtype=np.float64))


def _outputs(
    logits: np.ndarray, shape: tuple[int, ...], gradient: bool
) -> tuple[np.ndarray, np.ndarray]:
    return (
        np.empty(shape, np.float64),
        _memory.empty(logits.shape if gradient else (0, *logits.shape[1:]), logits.dtype),
    )


def _reduced(losses: np.ndarray, reduction: str, divisor: float, dtype: np.dtype) -> np.ndarray:
    if reduction != "none":
        loss = float(np.add.reduce(losses, None)) / divisor if divisor else np.nan
        if abs(loss) <= _LARGEST:
            return np.array(loss, dtype)
        losses = np.array(loss)
    with np.errstate(over="ignore"):  # float32 may end at inf; whoever trains sees that
        return losses.astype(dtype)
