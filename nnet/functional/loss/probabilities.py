"""Losses of probabilities against probabilities."""

from __future__ import annotations

from ...autograd.tensor import Tensor
from .options import check_reduction
from .pairs import pair_loss

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div"]


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

    Raises ValueError for input outside [0, 1], TypeError for mixed dtypes and RuntimeError for a
    weight that needs a gradient.

    >>> import nnet as nn, nnet.functional as F
    >>> F.binary_cross_entropy(nn.tensor([0.5, 0.0]), nn.tensor([1.0, 1.0]), reduction="none")
    tensor([  0.6931472, 100.       ])
    """
    op = "binary_cross_entropy"
    check_reduction(op, reduction, size_average, reduce)
    return pair_loss(op, "binary", input, target, weight, reduction)


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
    return pair_loss(op, "logistic", input, target, weight, reduction, pos_weight)


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
    return pair_loss("kl_div", kind, input, target, None, reduction)
