"""Losses."""

from __future__ import annotations

import numpy as np

from kernels import softmax_cross_entropy

from ..tensor import Tensor, record
from .activation import log_softmax
from .check import check_tensors


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log softmax(input) at the target's class.

    input            scores (N, C), (C,) or (N, C, d1, ...)
    target           labels (N,), () or (N, d1, ...) of an integer dtype; or probabilities of
                     input's shape and dtype
    weight           (C,), of the classes; "mean" divides by the weights of the targets
    ignore_index     a label that counts for nothing; if all do, the mean is 0
    reduction        "mean", "sum" or "none"
    label_smoothing  share of the target that is spread over all classes

    Raises TypeError for other dtypes, ValueError for shapes that do not fit and labels outside
    [0, C).

    >>> import nnet as nn, nnet.functional as F
    >>> F.cross_entropy(nn.zeros(2, 10), nn.tensor([3, 7]))
    tensor(2.3025851)
    """
    op = "cross_entropy"
    check_tensors(op, input=input, weight=weight)
    _check_reduction(op, reduction)
    _check_weight(op, input, weight)
    if isinstance(target, Tensor) and target.dtype.kind == "f":
        return _with_probabilities(input, target, weight, reduction, label_smoothing)
    logits = _classes_last(op, input, target)
    loss, saved = softmax_cross_entropy.forward(
        logits.data,
        target.data.reshape(-1),
        None if weight is None else weight.data,
        label_smoothing=label_smoothing,
        ignore_index=ignore_index,
        reduction=reduction,
    )
    losses = record(loss, (logits,), lambda dy: softmax_cross_entropy.backward(dy, saved))
    return losses.reshape(target.shape) if reduction == "none" else losses


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """-input at the target's class, for input of log-probabilities; as in `cross_entropy`.

    >>> import nnet as nn, nnet.functional as F
    >>> F.nll_loss(nn.tensor([[-1.0, -2.0], [-3.0, -4.0]]), nn.tensor([0, 1]))
    tensor(2.5)
    """
    op = "nll_loss"
    check_tensors(op, input=input, weight=weight)
    _check_reduction(op, reduction)
    _check_weight(op, input, weight)
    rows = _classes_last(op, input, target)
    x, labels = rows.data, target.data.reshape(-1)
    counts = labels != ignore_index
    wrong = labels[counts & ((labels < 0) | (labels >= x.shape[1]))]
    if wrong.size:
        raise ValueError(
            f"{op}: expected labels from 0 to {x.shape[1] - 1} or ignore_index {ignore_index}, "
            f"got {wrong[0]}"
        )
    index = np.arange(len(labels)), np.where(counts, labels, 0)
    factor = counts.astype(x.dtype)
    if weight is not None:
        factor *= weight.data[index[1]]
    losses = -x[index] * factor
    if reduction == "mean":
        factor /= factor.sum(dtype=np.float64) or 1
    shape = x.shape

    def backward(dy: np.ndarray) -> np.ndarray:
        dx = np.zeros(shape, dy.dtype)
        dx[index] = -factor * dy.reshape(-1)
        return dx

    if reduction == "none":
        return record(losses, (rows,), backward).reshape(target.shape)
    total = losses if reduction == "sum" else -x[index] * factor
    return record(total.sum(dtype=np.float64).astype(x.dtype), (rows,), backward)


def mse_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """(input - target)^2.

    Raises TypeError for other or mixed dtypes, ValueError for shapes that differ.

    >>> import nnet as nn, nnet.functional as F
    >>> F.mse_loss(nn.tensor([1.0, 2.0]), nn.tensor([1.0, 4.0]))
    tensor(2.)
    """
    check_tensors("mse_loss", input=input, target=target)
    _check_reduction("mse_loss", reduction)
    if input.shape != target.shape:
        raise ValueError(f"mse_loss: expected target of shape {input.shape}, got {target.shape}")
    return _reduce((input - target).square(), reduction)


def _with_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, label_smoothing: float
) -> Tensor:
    check_tensors("cross_entropy", input=input, target=target)
    if not input.ndim or target.shape != input.shape:
        raise ValueError(
            f"cross_entropy: expected probabilities of shape {input.shape}, got {target.shape}"
        )
    dim = min(input.ndim - 1, 1)
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / input.shape[dim]
    if weight is not None:
        target = target * weight.reshape(-1, *[1] * (input.ndim - 1 - dim))
    losses = -(target * log_softmax(input, dim)).sum(dim)
    return _reduce(losses, reduction)


def _reduce(losses: Tensor, reduction: str) -> Tensor:
    if reduction == "none":
        return losses
    return losses.mean() if reduction == "mean" else losses.sum()


def _classes_last(op: str, input: Tensor, target: Tensor) -> Tensor:
    """The scores as (rows, C), after checking that there is a label for each row."""
    if not isinstance(target, Tensor):
        raise TypeError(f"{op}: expected target to be a tensor, got {type(target).__name__}")
    if target.dtype.kind not in "iu":
        raise TypeError(f"{op}: expected target of an integer dtype, got {target.dtype}")
    if not input.ndim:
        raise ValueError(f"{op}: expected input of shape (N, C), got {input.shape}")
    expected = input.shape[:1] + input.shape[2:] if input.ndim > 1 else ()
    if target.shape != expected:
        raise ValueError(
            f"{op}: expected target of shape {expected} for input {input.shape}, got {target.shape}"
        )
    if input.ndim == 2:
        return input
    classes = input.shape[min(input.ndim - 1, 1)]
    if input.ndim == 1:
        return input.unsqueeze(0)
    return input.permute(0, *range(2, input.ndim), 1).reshape(target.numel(), classes)


def _check_weight(op: str, input: Tensor, weight: Tensor | None) -> None:
    classes = input.shape[min(input.ndim - 1, 1)] if input.ndim else 0
    if weight is not None and weight.shape != (classes,):
        raise ValueError(f"{op}: expected weight of shape ({classes},), got {weight.shape}")


def _check_reduction(op: str, reduction: str) -> None:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{op}: expected reduction 'mean', 'sum' or 'none', got {reduction!r}")
