"""Losses as layers, of numbers against numbers: each is a mean over elements unless told."""

from __future__ import annotations

from ... import functional
from ...autograd.tensor import Tensor
from .classes import Loss

__all__ = ["MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "HingeEmbeddingLoss"]


class MSELoss(Loss):
    """(x - t)^2, gradient 2 (x - t): for regression.

    It is the negative log-likelihood of a normal distribution around x, so the best x is the mean
    of the targets; one outlier pulls as hard as it is far.

    >>> import nnet as nn
    >>> nn.MSELoss()(nn.ones(3), nn.zeros(3))
    tensor(1.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.mse_loss(input, target, reduction=self.reduction)


class L1Loss(Loss):
    """|x - t|, gradient sign(x - t) and 0 at 0: for regression with outliers.

    The best x is the median of the targets. The gradient does not shrink on the way to the target,
    so the learning rate must.

    >>> import nnet as nn
    >>> nn.L1Loss()(nn.ones(3), nn.tensor([0.0, 1.0, 3.0]))
    tensor(1.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(Loss):
    """d^2 / (2 beta) where |d| = |x - t| < beta, else |d| - beta / 2: the L1 loss without its kink.

    The gradient is d / beta near the target and sign(d) beyond: never above 1, as object detectors
    need it (Girshick 2015). beta = 0 is the L1 loss; times beta it is the Huber loss.

    >>> import nnet as nn
    >>> nn.SmoothL1Loss(reduction="none")(nn.tensor([0.0, 4.0]), nn.ones(2))
    tensor([0.5, 2.5])
    """

    def __init__(
        self,
        size_average: None = None,
        reduce: None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(Loss):
    """d^2 / 2 where |d| = |x - t| < delta, else delta (|d| - delta / 2).

    The gradient is d, cut off at delta: squared error for what is near, absolute error for
    outliers (Huber 1964).

    >>> import nnet as nn
    >>> nn.HuberLoss(reduction="none", delta=2.0)(nn.tensor([0.0, 4.0]), nn.ones(2))
    tensor([0.5, 4. ])
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.huber_loss(input, target, self.reduction, self.delta)


class HingeEmbeddingLoss(Loss):
    """x where t is 1, max(0, margin - x) where t is -1, for distances x of pairs.

    Pairs that belong together are drawn together, others pushed apart until they are `margin` away.

    >>> import nnet as nn
    >>> nn.HingeEmbeddingLoss()(nn.tensor([0.25, 0.25]), nn.tensor([1.0, -1.0]))
    tensor(0.5)
    """

    def __init__(
        self,
        margin: float = 1.0,
        size_average: None = None,
        reduce: None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.hinge_embedding_loss(input, target, self.margin, reduction=self.reduction)
