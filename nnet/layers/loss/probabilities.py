"""Losses as layers, of probabilities against probabilities."""

from __future__ import annotations

from ... import functional
from ...autograd.tensor import Tensor
from .classes import Loss

__all__ = ["BCELoss", "BCEWithLogitsLoss", "KLDivLoss"]


class BCELoss(Loss):
    """-t log x - (1 - t) log(1 - x) for probabilities x and targets t, both in [0, 1].

    The gradient (x - t) / (x (1 - x)) is large where x is sure and wrong; logarithms are kept above
    -100, so that the loss stays finite at 0 and 1. After a sigmoid layer take BCEWithLogitsLoss
    instead of both: it keeps the digits that x near 1 has lost.

    weight  broadcasts to the input; a factor of each loss

    >>> import nnet as nn
    >>> nn.BCELoss()(nn.tensor([0.5, 0.5]), nn.tensor([0.0, 1.0]))
    tensor(0.6931472)
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: None = None,
        reduce: None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(Loss):
    """Binary cross entropy of sigmoid(x): yes or no, for each output on its own.

    (1 - t) x + log(1 + e^-x), written so that e never overflows; the gradient is sigmoid(x) - t,
    which is bounded and does not vanish where the model is sure and wrong.

    weight      broadcasts to the input; a factor of each loss
    pos_weight  broadcasts to the input; a factor of t: with 3 it is as if there were three times as
                many positive examples

    >>> import nnet as nn
    >>> nn.BCEWithLogitsLoss()(nn.zeros(2), nn.tensor([0.0, 1.0]))
    tensor(0.6931472)
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: None = None,
        reduce: None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class KLDivLoss(Loss):
    """t (log t - x), x being log-probabilities: how far the model is from the distribution t.

    The divergence of Kullback and Leibler (1951) is its sum over a distribution: take the
    reduction "batchmean", the sum over the batch's size; "mean" divides by the classes too. The
    gradient to x is -t, as of cross entropy, from which it differs by the entropy of t: 0 is
    reached where x = log t. For distillation and variational models.

    log_target  whether targets are log-probabilities too

    >>> import nnet as nn
    >>> loss = nn.KLDivLoss(reduction="batchmean")
    >>> loss(nn.tensor([[0.5, 0.5]]).log(), nn.tensor([[1.0, 0.0]]))
    tensor(0.6931472)
    """

    more_reductions = ("batchmean",)

    def __init__(
        self,
        size_average: None = None,
        reduce: None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.kl_div(
            input, target, reduction=self.reduction, log_target=self.log_target
        )
