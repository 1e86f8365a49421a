"""Losses of one number against another."""

from __future__ import annotations

from ...autograd.tensor import Tensor
from ..check import number
from .options import check_reduction
from .pairs import averaged_loss, check_weight, pair_loss

__all__ = ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "hinge_embedding_loss"]


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """(input - target)^2.

    target     like input: nothing is broadcast; of another dtype, both become what they meet in
    reduction  "mean", "sum" or "none"
    weight     like input, a factor of each loss; "mean" divides by its sum

    Gradients to all three. Raises TypeError where no floats are among them, ValueError for shapes
    that differ and for size_average or reduce, which PyTorch deprecated. So do the other losses.

    >>> import nnet as nn, nnet.functional as F
    >>> F.mse_loss(nn.tensor([1.0, 2.0]), nn.tensor([1.0, 4.0]))
    tensor(2.)
    """
    check_reduction("mse_loss", reduction, size_average, reduce)
    return averaged_loss("mse_loss", "squared", input, target, weight, reduction)


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
    return averaged_loss("l1_loss", "absolute", input, target, weight, reduction)


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
    beta = number(op, "beta", beta)
    if not beta >= 0:
        raise ValueError(f"{op}: expected beta of at least 0, got {beta}")
    kind = "smooth" if beta else "absolute"
    return pair_loss(op, kind, input, target, None, reduction, parameter=beta)


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
    delta = number(op, "delta", delta)
    if not delta > 0:
        raise ValueError(f"{op}: expected delta above 0, got {delta}")
    check_weight(op, input, weight)
    return pair_loss(op, "huber", input, target, weight, reduction, parameter=delta)


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
    return pair_loss(
        op, "hinge", input, target, None, reduction, parameter=number(op, "margin", margin)
    )
