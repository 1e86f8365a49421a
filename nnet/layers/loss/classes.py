"""Losses as layers whose target is a class; those of numbers are in `values` and
`probabilities`.

A loss module is a loss function that remembers its options. `weight` is a buffer: it is saved with
the model and follows `.double()`.
"""

from __future__ import annotations

from ... import functional
from ...autograd.tensor import Tensor
from ...functional.loss.options import check_reduction
from ...module.module import Module

__all__ = ["CrossEntropyLoss", "NLLLoss", "MultiMarginLoss"]


class Loss(Module):
    """What losses have in common: a reduction, and PyTorch's options that it took the place of."""

    more_reductions: tuple[str, ...] = ()
    # Whether the mean is over labels that are not ignored, by weight, axis 1 counting classes.
    of_labels = False

    def __init__(
        self, size_average: None = None, reduce: None = None, reduction: str = "mean"
    ) -> None:
        super().__init__()
        check_reduction(type(self).__name__, reduction, size_average, reduce, *self.more_reductions)
        self.reduction = reduction


class CrossEntropyLoss(Loss):
    """-log softmax of scores at the label: what a classifier of C classes is trained with.

    With p = softmax(input) the loss of one sample is -log p[y], the surprise at its label y, and
    the gradient to the scores is p - onehot(y): bounded, and 0 only where p is sure and right. It
    is the negative log-likelihood of a categorical model, computed from scores by log-sum-exp, so
    that nothing overflows; a softmax layer before it would be one too many. A model that knows
    nothing starts at ln C.

    input            (N, C), (C,) or (N, C, d1, ...)
    target           labels of an integer dtype, without input's axis C; or probabilities like input
    weight           (C,): what a class counts; for classes of very different sizes
    ignore_index     a label that counts for nothing, such as padding
    reduction        "mean" over what counts, by weight; "sum" or "none"
    label_smoothing  share e of the target that is spread evenly: the target is
                     (1 - e) onehot(y) + e / C (Szegedy et al. 2016), so scores need not go to
                     infinity

    Source: Bridle 1990, softmax with cross entropy. See `functional.cross_entropy`.

    >>> import nnet as nn
    >>> nn.CrossEntropyLoss()(nn.zeros(2, 10), nn.tensor([3, 7]))
    tensor(2.3025851)
    """

    of_labels = True
    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: None = None,
        ignore_index: int = -100,
        reduce: None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
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


class NLLLoss(Loss):
    """-input at the label, for a model that ends in LogSoftmax.

    `CrossEntropyLoss` does both in one pass, faster; this is for log-probabilities that are needed
    for themselves. The gradient is -weight[y] at the label and 0 elsewhere. Arguments as there.

    >>> import nnet as nn
    >>> nn.NLLLoss()(nn.tensor([[-1.0, -2.0]]), nn.tensor([1]))
    tensor(2.)
    """

    of_labels = True
    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: None = None,
        ignore_index: int = -100,
        reduce: None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.nll_loss(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class MultiMarginLoss(Loss):
    """The multi-class support vector machine: other scores shall stay `margin` below the label's.

    A sample with the label y loses weight[y] / C * sum over c != y of
    max(0, margin - x[y] + x[c])^p. For p = 1 every class that comes too near has gradient
    weight[y] / C, and y minus the sum of those; p = 2 is the squared hinge. A sample that is right
    by the margin costs nothing, where cross entropy goes on pulling. Without / C it is the loss of
    the lectures CS231n, which begins at C - 1 for equal scores.

    Source: Weston & Watkins 1999.

    >>> import nnet as nn
    >>> nn.MultiMarginLoss()(nn.zeros(1, 4), nn.tensor([2]))
    tensor(0.75)
    """

    weight: Tensor | None

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: None = None,
        reduce: None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        if p not in (1, 2):
            raise ValueError(f"MultiMarginLoss: expected p 1 or 2, got {p!r}")
        self.register_buffer("weight", weight)
        self.p = p
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.multi_margin_loss(
            input, target, self.p, self.margin, self.weight, reduction=self.reduction
        )
