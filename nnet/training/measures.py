"""What training and evaluation compute of a batch: the loss, and how much was told right."""

from collections.abc import Callable
from typing import Any, NamedTuple

from .. import functional
from ..module import Module
from ..tensor import Tensor
from .accuracy import count_right

Loss = Callable[[Tensor, Tensor], Tensor]


class Measured(NamedTuple):
    """Of a batch.

    loss   the mean over what is counted, to be differentiated
    size   samples, or symbols of a text
    right  how many of them were told right; None where targets are not classes
    """

    loss: Tensor
    size: int
    right: int | None


# Maps a model and a batch to what is measured. It may remember what a batch leaves to the next.
Measure = Callable[[Module, Any], Measured]


def supervised(loss: Loss = functional.cross_entropy) -> Measure:
    """Of batches (inputs, targets): loss(model(inputs), targets).

    >>> import nnet as nn
    >>> measure = nn.training.supervised()
    >>> found = measure(nn.Identity(), (nn.tensor([[0.0, 0.0]]), nn.tensor([1])))
    >>> round(found.loss.item(), 4), found.size, found.right
    (0.6931, 1, 0)
    """

    def measure(model: Module, batch: tuple[Tensor, Tensor]) -> Measured:
        inputs, targets = batch
        outputs = model(inputs)
        right = count_right(outputs.numpy(), targets.numpy())
        return Measured(loss(outputs, targets), len(targets), right)

    return measure


class Average:
    """Of the batches so far, each by its size."""

    def __init__(self) -> None:
        self.count = 0
        self._total, self._right = 0.0, 0
        self._classes = True

    def add(self, loss: float, measured: Measured) -> None:
        """loss is measured.loss as a number."""
        self._total += loss * measured.size
        self._right += measured.right or 0
        self._classes = self._classes and measured.right is not None
        self.count += measured.size

    @property
    def loss(self) -> float:
        return self._total / self.count

    @property
    def accuracy(self) -> float | None:
        return self._right / self.count if self._classes else None
