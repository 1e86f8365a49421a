"""What training and evaluation compute of a batch: the loss, and how much was told right."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from .. import functional
from ..autograd.tensor import Tensor
from ..module.module import Module
from .accuracy import counted

# Of outputs and targets, mostly tensors.
Loss = Callable[[Any, Any], Tensor]


class Measured(NamedTuple):
    """Of a batch.

    loss    the mean over what is counted, to be differentiated
    size    samples, or symbols of a text; 0 where nothing counts and the loss means nothing
    right   how many of them were told right; None where targets are not classes
    weight  what the mean was over where that is not `size`, as with weights of classes

    >>> import nnet as nn
    >>> def reconstructed(model, inputs):
    ...     loss = nn.functional.mse_loss(model(inputs), inputs)
    ...     return nn.training.Measured(loss, size=len(inputs), right=None)
    >>> nn.evaluate(nn.ReLU(), [nn.tensor([[1.0], [-2.0]])], measure=reconstructed)
    Evaluation(loss=2.0, accuracy=None)
    """

    loss: Tensor
    size: int
    right: int | None
    weight: float | None = None


# Maps a model and a batch to what is measured. It may remember what a batch leaves to the next.
Measure = Callable[[Module, Any], Measured]


def supervised(loss: Loss = functional.cross_entropy) -> Measure:
    """Of batches (inputs, targets): loss(model(inputs), targets), whatever these consist of.

    Labels that `cross_entropy`, `nll_loss` and their layers ignore do not count; classes count by
    their weights.

    >>> import nnet as nn
    >>> measure = nn.training.supervised()
    >>> found = measure(nn.Identity(), (nn.tensor([[0.0, 0.0]]), nn.tensor([1])))
    >>> round(found.loss.item(), 4), found.size, found.right
    (0.6931, 1, 0)
    """

    def measure(model: Module, batch: tuple[Any, Any]) -> Measured:
        inputs, targets = batch
        outputs = model(inputs)
        return Measured(loss(outputs, targets), *counted(loss, outputs, targets, inputs))

    return measure


class Average:
    """Of the batches so far: losses by what each is the mean over, right answers by number."""

    def __init__(self) -> None:
        self.count = 0
        self._total, self._weight, self._right = 0.0, 0.0, 0
        self._classes = True

    def add(self, loss: float, measured: Measured) -> None:
        """loss is measured.loss as a number."""
        weight = measured.size if measured.weight is None else measured.weight
        if weight:
            self._total += loss * weight
            self._weight += weight
        self._right += measured.right or 0
        self._classes = self._classes and measured.right is not None
        self.count += measured.size

    @property
    def loss(self) -> float:
        return self._total / self._weight if self._weight else math.nan

    @property
    def accuracy(self) -> float | None:
        return self._right / self.count if self._classes else None
