"""The mechanism of losses of one number against another, with gradients to all that is given."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kernels import pointwise_loss

from ...autograd.broadcasting import quiet
from ...autograd.results import record
from ...autograd.tensor import Tensor
from ..check import check_no_gradient, check_tensors, promoted
from .options import needs_gradient

# dloss/dtarget for x, target and pos_weight; where the loss is one of x - target it is -dloss/dx.
_TARGET_SLOPES: dict[str, Callable[..., np.ndarray]] = {
    "binary": lambda x, t, p: np.maximum(np.log1p(-x), -100) - np.maximum(np.log(x), -100),
    "logistic": lambda x, t, p: (p - 1) * np.logaddexp(0, -x) - x,
    "divergence": lambda x, t, p: np.log(t) + 1 - x,
    "log_divergence": lambda x, t, p: np.exp(t) * (t + 1 - x),
}


def averaged_loss(
    op: str, kind: str, input: Tensor, target: Tensor, weight: Tensor | None, reduction: str
) -> Tensor:
    """A loss whose mean is over the sum of the weights."""
    check_weight(op, input, weight)
    divisor = None if weight is None else float(weight.data.sum(dtype=np.float64))
    return pair_loss(op, kind, input, target, weight, reduction, mean_divisor=divisor)


def check_weight(op: str, input: Tensor, weight: Tensor | None) -> None:
    if weight is None or not isinstance(input, Tensor):
        return
    if not isinstance(weight, Tensor):
        raise TypeError(f"{op}: expected weight to be a tensor, got {type(weight).__name__}")
    if weight.shape != input.shape:
        raise ValueError(f"{op}: expected weight of shape {input.shape}, got {weight.shape}")


def pair_loss(
    op: str,
    kind: str,
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    reduction: str,
    pos_weight: Tensor | None = None,
    parameter: float = 1.0,
    mean_divisor: float | None = None,
) -> Tensor:
    if (weight is not None or pos_weight is not None) and kind in ("binary", "logistic"):
        check_no_gradient(op, weight=weight, pos_weight=pos_weight)
    if not _is_alike(input, target, weight):
        input, target, weight = _alike(kind, input, target, weight)
    check_tensors(op, input=input, target=target, weight=weight, pos_weight=pos_weight)
    if input.shape != target.shape:
        raise ValueError(f"{op}: expected target of shape {input.shape}, got {target.shape}")
    for name, factor in (("weight", weight), ("pos_weight", pos_weight)):
        if factor is not None and not _broadcasts(factor.shape, input.shape):
            raise ValueError(
                f"{op}: expected {name} that broadcasts to {input.shape}, got {factor.shape}"
            )
    x, t = input.data, target.data
    divisor: float | None = {"sum": 1.0, "mean": mean_divisor}.get(reduction)
    if reduction == "mean" and divisor is None:
        divisor = float(x.size)
    elif reduction == "batchmean":
        divisor = float(x.shape[0]) if x.ndim else 1.0
    weights = None if weight is None else weight.data
    pulls = None if pos_weight is None else pos_weight.data
    through_difference = kind not in _TARGET_SLOPES
    to_target = needs_gradient(target) and kind != "hinge"
    to_weight = weight is not None and needs_gradient(weight)
    loss, saved = pointwise_loss.forward(
        kind,
        x,
        t,
        weights,
        pulls,
        parameter=parameter,
        divisor=divisor,
        gradient=needs_gradient(input) or (to_target and through_difference),
    )

    def of_target(dy: np.ndarray) -> np.ndarray:
        with quiet():
            slope = _TARGET_SLOPES[kind](x, t, 1 if pulls is None else pulls)
            dt = slope * (1 if weights is None else weights) * dy / (divisor or 1)
        return dt.astype(x.dtype, copy=False)

    def of_weight(dy: np.ndarray) -> np.ndarray:
        each, _ = pointwise_loss.forward(kind, x, t, parameter=parameter, gradient=False)
        with quiet():
            # A mean over the weights' sum falls as that sum grows.
            slope = each if mean_divisor is None or reduction != "mean" else each - loss
            return slope * dy / (1 if divisor is None else x.dtype.type(divisor))

    def backward(dy: np.ndarray) -> tuple[np.ndarray | None, ...]:
        dx = pointwise_loss.backward(dy, saved) if saved.gradient.shape == x.shape else None
        dt = None
        if to_target and through_difference:
            assert dx is not None
            dt = -dx
        elif to_target:
            dt = of_target(dy)
        return dx, dt, of_weight(dy) if to_weight else None

    return record(loss, (input, target, weight), backward)


def _is_alike(input: Tensor, target: Tensor, weight: Tensor | None) -> bool:
    if not (isinstance(input, Tensor) and isinstance(target, Tensor)):
        return False
    dtype = input.data.dtype
    return target.data.dtype is dtype and (weight is None or weight.data.dtype is dtype)


def _alike(kind: str, input: Tensor, target: Tensor, weight: Tensor | None) -> tuple:
    """What meets in one dtype: all where differences are taken, else only floats."""
    if kind == "hinge" and isinstance(input, Tensor) and isinstance(target, Tensor):
        return input, target.to(input.dtype), weight
    if kind in _TARGET_SLOPES:
        floats = all(
            isinstance(each, Tensor) and each.data.dtype.kind == "f" for each in (input, target)
        )
        met = promoted(input, target) if floats and kind != "binary" else (input, target)
        return *met, weight
    return promoted(input, target, weight)


def _broadcasts(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    if len(shape) > len(whole):
        return False
    last = whole[len(whole) - len(shape) :]
    return all(one in (1, other) for one, other in zip(shape, last, strict=True))
