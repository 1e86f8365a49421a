"""Losses as layers."""

from __future__ import annotations

from . import functional
from .module import Module
from .tensor import Tensor


class CrossEntropyLoss(Module):
    """-log softmax of scores (N, C) at labels (N,), see `functional.cross_entropy`.

    >>> import nnet as nn
    >>> nn.CrossEntropyLoss()(nn.zeros(2, 10), nn.tensor([3, 7]))
    tensor(2.3025851)
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.reduction = reduction
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(Module):
    """-input at the labels, for log-probabilities, see `functional.nll_loss`.

    >>> import nnet as nn
    >>> nn.NLLLoss()(nn.tensor([[-1.0, -2.0]]), nn.tensor([1]))
    tensor(2.)
    """

    weight: Tensor | None

    def __init__(
        self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.nll_loss(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction
        )


class MSELoss(Module):
    """(input - target)^2, see `functional.mse_loss`.

    >>> import nnet as nn
    >>> nn.MSELoss()(nn.ones(3), nn.zeros(3))
    tensor(1.)
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.mse_loss(input, target, self.reduction)
