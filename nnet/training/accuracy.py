"""Counting right answers, and the labels that count."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..autograd.tensor import Tensor
from ..functional.loss.classes import OF_LABELS


class Counted(NamedTuple):
    """Of a batch.

    size    samples, or labels that count
    right   how many of them were told right; None where targets are not classes
    weight  what the loss's mean was over, where that is not `size`
    """

    size: int
    right: int | None
    weight: float | None = None


def count_right(outputs: np.ndarray, targets: np.ndarray) -> int | None:
    """How many rows of scores (N, C) are largest at their class; None if targets are no classes."""
    if outputs.ndim != 2 or targets.shape != outputs.shape[:1] or targets.dtype.kind not in "iu":
        return None
    return int((outputs.argmax(1) == targets).sum())


def counted(loss: Any, outputs: Any, targets: Any, inputs: Any) -> Counted:
    """What of a batch its loss is the mean over.

    A label that the loss ignores, and one below 0, is no class and counts for nothing. Outputs and
    targets that are several tensors are the loss's own affair: then samples are counted.
    """
    samples = Counted(_samples(targets) or _samples(inputs) or 0, None)
    if not (isinstance(outputs, Tensor) and isinstance(targets, Tensor | np.ndarray)):
        return samples
    scores, labels = outputs.data, np.asarray(targets)
    named = loss.keywords if isinstance(loss, partial) else {}
    of_classes = _is_of_classes(loss.func if isinstance(loss, partial) else loss)
    axis = 1 if scores.ndim > 1 else 0
    if scores.ndim != 2 and not (of_classes and scores.ndim):
        return samples
    if of_classes and labels.shape == scores.shape and labels.dtype.kind == "f":
        return Counted(labels.size // max(labels.shape[axis], 1), None)
    if labels.shape != scores.shape[:axis] + scores.shape[axis + 1 :]:
        return samples
    if labels.dtype.kind not in "iu":
        return samples
    ignored = named.get("ignore_index", getattr(loss, "ignore_index", -100))
    counts = (labels >= 0) & (labels != ignored)
    right = int(((scores.argmax(axis) == labels) & counts).sum())
    weight = named.get("weight", getattr(loss, "weight", None)) if of_classes else None
    total = None if weight is None else float(np.asarray(weight)[labels[counts]].sum())
    return Counted(int(counts.sum()), right, total)


def _is_of_classes(loss: Any) -> bool:
    return loss in OF_LABELS or getattr(loss, "of_labels", False)


def _samples(values: Any) -> int | None:
    """How many: the length of the first tensor in there; None without one."""
    if isinstance(values, Tensor | np.ndarray):
        return len(values) if values.ndim else 1
    if isinstance(values, dict):
        values = list(values.values())
    if isinstance(values, tuple | list):
        return next((found for found in map(_samples, values) if found is not None), None)
    return None
