"""Labels and weights of classes, as losses are given them."""

from __future__ import annotations

from ...autograd.tensor import Tensor


def check_labels(op: str, input: Tensor, target: Tensor) -> None:
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


def check_class_weight(op: str, input: Tensor, weight: Tensor | None) -> None:
    if weight is None:
        return
    classes = input.shape[min(input.ndim - 1, 1)] if input.ndim else 0
    if weight.shape != (classes,):
        raise ValueError(f"{op}: expected weight of shape ({classes},), got {weight.shape}")
