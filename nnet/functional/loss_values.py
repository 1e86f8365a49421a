"""Losses of one number against another."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kernels import pointwise_loss

from ..broadcasting import quiet
from ..tensor import Tensor, record
from .check import check_tensors
from .loss_options import check_reduction, needs_gradient

# dloss/dtarget for x, target and pos_weight; where the loss is one of x - target it is -dloss/dx.
_TARGET_SLOPES: dict[str, Callable[..., np.ndarray]] = {
    "binary": lambda x, t, p: np.maximum(np.log1p(-x), -100) - np.maximum(np.log(x), -100),
    "logistic": lambda x, t, p: (p - 1) * np.logaddexp(0, -x) - x,
    "divergence": lambda x, t, p: np.log(t) + 1 - x,
    "log_divergence": lambda x, t, p: np.exp(t) * (t + 1 - x),
}


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """(input - target)^2.

    target     like input: nothing is broadcast
    reduction  "mean", "sum" or "none"
    weight     like input, a factor of each loss; "mean" divides by its sum

    Raises TypeError for other or mixed dtypes, ValueError for shapes that differ and for
    size_average or reduce, which PyTorch deprecated. So do the other losses.

    >>> import nnet as nn, nnet.functional as F
    >>> F.mse_loss(nn.tensor([1.0, 2.0]), nn.tensor([1.0, 4.0]))
    tensor(2.)
    """
    check_reduction("mse_loss", reduction, size_average, reduce)
    return _averaged("mse_loss", "squared", input, target, weight, reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """|input - target|, gradient 0 at 0; arguments as of `mse_loss`.

    >>> import nnet as nn, nnet.functional as F
    >>> F.l1_loss(nn.tensor([1.0, 2.0]), nn.tensor([1.0, 4.0]))
    tensor(1.)
    """
    check_reduction("l1_loss", reduction, size_average, reduce)
    return _averaged("l1_loss", "absolute", input, target, weight, reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """d^2 / (2 beta) where |d| = |input - target| < beta, else |d| - beta / 2.

    >>> import nnet as nn, nnet.functional as F
    >>> F.smooth_l1_loss(nn.tensor([0.0, 4.0]), nn.tensor([1.0, 1.0]), reduction="none")
    tensor([0.5, 2.5])
    """
    op = "smooth_l1_loss"
    check_reduction(op, reduction, size_average, reduce)
    if not beta >= 0:
        raise ValueError(f"{op}: expected beta of at least 0, got {beta}")
    kind = "smooth" if beta else "absolute"
    return _loss(op, kind, input, target, None, reduction, parameter=beta)


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """d^2 / 2 where |d| = |input - target| < delta, else delta (|d| - delta / 2).

    weight  like input, a factor of each loss; "mean" divides by the elements all the same

    >>> import nnet as nn, nnet.functional as F
    >>> F.huber_loss(nn.tensor([0.0, 4.0]), nn.tensor([1.0, 1.0]), reduction="none", delta=2)
    tensor([0.5, 4. ])
    """
    op = "huber_loss"
    check_reduction(op, reduction, None, None)
    if not delta > 0:
        raise ValueError(f"{op}: expected delta above 0, got {delta}")
    _check_weight(op, input, weight)
    return _loss(op, "huber", input, target, weight, reduction, parameter=delta)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """-target log(input) - (1 - target) log(1 - input), for probabilities; logarithms >= -100.

    weight  broadcasts to input; a factor of each loss

    Raises ValueError for input outside [0, 1].

    >>> import nnet as nn, nnet.functional as F
    >>> F.binary_cross_entropy(nn.tensor([0.5, 0.0]), nn.tensor([1.0, 1.0]), reduction="none")
    tensor([  0.6931472, 100.       ])
    """
    op = "binary_cross_entropy"
    check_reduction(op, reduction, size_average, reduce)
    return _loss(op, "binary", input, target, weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """`binary_cross_entropy` of sigmoid(input), computed from input: no digits are lost.

    weight      broadcasts to input; a factor of each loss
    pos_weight  broadcasts to input; a factor of target: above 1 for recall, below for precision

    >>> import nnet as nn, nnet.functional as F
    >>> F.binary_cross_entropy_with_logits(nn.tensor([0.0, -1000.0]), nn.ones(2), reduction="sum")
    tensor(1000.6932)
    """
    op = "binary_cross_entropy_with_logits"
    check_reduction(op, reduction, size_average, reduce)
    return _loss(op, "logistic", input, target, weight, reduction, pos_weight)


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """target (log target - input), input being logarithms of probabilities.

    reduction   "batchmean" divides the sum by input's first axis, as the divergence is defined;
                "mean" divides by all elements
    log_target  whether target are logarithms too

    >>> import nnet as nn, nnet.functional as F
    >>> F.kl_div(nn.tensor([[0.5, 0.5]]).log(), nn.tensor([[1.0, 0.0]]), reduction="batchmean")
    tensor(0.6931472)
    """
    check_reduction("kl_div", reduction, size_average, reduce, "batchmean")
    kind = "log_divergence" if log_target else "divergence"
    return _loss("kl_div", kind, input, target, None, reduction)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """input where target is 1, max(0, margin - input) where it is -1: distances of pairs.

    >>> import nnet as nn, nnet.functional as F
    >>> F.hinge_embedding_loss(nn.tensor([0.3, 0.3]), nn.tensor([1.0, -1.0]), reduction="none")
    tensor([0.3, 0.7])
    """
    op = "hinge_embedding_loss"
    check_reduction(op, reduction, size_average, reduce)
    return _loss(op, "hinge", input, target, None, reduction, parameter=margin)


def _averaged(
    op: str, kind: str, input: Tensor, target: Tensor, weight: Tensor | None, reduction: str
) -> Tensor:
    """A loss whose mean is over the sum of the weights."""
    _check_weight(op, input, weight)
    divisor = None if weight is None else float(weight.data.sum(dtype=np.float64))
    return _loss(op, kind, input, target, weight, reduction, mean_divisor=divisor)


def _check_weight(op: str, input: Tensor, weight: Tensor | None) -> None:
    check_tensors(op, input=input, weight=weight)
    if weight is not None and weight.shape != input.shape:
        raise ValueError(f"{op}: expected weight of shape {input.shape}, got {weight.shape}")


def _loss(
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

    def backward(dy: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
        dx = pointwise_loss.backward(dy, saved) if saved.gradient.shape == x.shape else None
        if not to_target:
            return dx, None
        if through_difference:
            assert dx is not None
            return dx, -dx
        with quiet():
            slope = _TARGET_SLOPES[kind](x, t, 1 if pulls is None else pulls)
            dt = slope * (1 if weights is None else weights) * dy / (divisor or 1)
        return dx, dt.astype(x.dtype, copy=False)

    return record(loss, (input, target), backward)


def _broadcasts(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    if len(shape) > len(whole):
        return False
    last = whole[len(whole) - len(shape) :]
    return all(one in (1, other) for one, other in zip(shape, last, strict=True))
