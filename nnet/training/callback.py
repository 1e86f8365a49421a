"""What a training calls, and what it shows of itself there."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..module.module import Module
from .history import History
from .measures import Average, Measure, Measured


@dataclass(eq=False)
class Training:
    """A training as its callbacks see it; what it is made of, they may change.

    model, optimizer  as given to `fit`
    history           so far
    epochs            how many there are to be; None without an end
    epoch, step       counted from 1; a step is a batch of its epoch, passed over or not
    batch             of this step
    measured          of this batch, its loss a tensor; from `after_loss` on
    loss              that loss as a number
    learning_rate     of the last step that was taken
    measure           computes the loss of a batch of this epoch, see `measures`
    average           loss and accuracy of this epoch, up to the last step that was taken

    >>> import nnet as nn
    >>> class Watch(nn.training.Callback):
    ...     def after_backward(self, training):
    ...         x, y = training.batch
    ...         print(training.step, training.loss, len(x), training.model.weight.grad.tolist())
    >>> model, batch = nn.Linear(1, 1, bias=False), (nn.ones(4, 1), nn.zeros(4, 1))
    >>> _ = nn.init.ones_(model.weight)
    >>> history = nn.fit(
    ...     model, [batch], epochs=1, optimizer=nn.optim.SGD(model.parameters(), lr=0.1),
    ...     loss=nn.functional.mse_loss, callbacks=[Watch()], progress=False,
    ... )
    1 1.0 4 [[2.0]]
    """

    model: Module
    optimizer: Any
    history: History
    epochs: int | None
    epoch: int = 0
    step: int = 0
    loss: float = math.nan
    learning_rate: float = math.nan
    average: Average = field(default_factory=Average)
    measure: Measure = field(init=False, repr=False)
    batch: Any = field(init=False, repr=False)
    measured: Measured = field(init=False, repr=False)


class StopTraining(Exception):
    """Raised by a callback, at whatever it is called for, to end the training.

    reason  what `History.stopped` will say

    A step that is not taken yet is left out; an epoch that has steps is ended as others are, with
    its validation and `after_epoch`. The other callbacks are still called for the same.

    >>> import nnet as nn
    >>> class LossBelow(nn.training.Callback):
    ...     def after_step(self, training):
    ...         if training.loss < 0.5:
    ...             raise nn.training.StopTraining("the loss is below 0.5")
    >>> model, batch = nn.Linear(1, 2), (nn.tensor([[1.0], [-1.0]]), nn.tensor([0, 1]))
    >>> history = nn.fit(
    ...     model, [batch], epochs=None, optimizer=nn.optim.SGD(model.parameters(), lr=0.5),
    ...     callbacks=[LossBelow()], progress=False,
    ... )
    >>> history.stopped, history.step_loss[-1] < 0.5
    ('the loss is below 0.5', True)
    """

    def __init__(self, reason: str = "a callback ended it") -> None:
        self.reason = reason
        super().__init__(reason)


class Callback:
    """What to do in the course of a training; override what is of use.

    All are given the `Training`. They may raise `StopTraining`; other exceptions go through `fit`,
    after `after_fit`.

    >>> import nnet as nn
    >>> class Rates(nn.training.Callback):
    ...     def after_step(self, training):
    ...         print(training.step, training.learning_rate)
    >>> model, batch = nn.Linear(1, 2), (nn.tensor([[1.0], [-1.0]]), nn.tensor([0, 1]))
    >>> optimizer = nn.optim.SGD(model.parameters(), lr=0.5)
    >>> history = nn.fit(
    ...     model, [batch, batch], epochs=1, optimizer=optimizer,
    ...     scheduler=nn.optim.lr_scheduler.StepLR(optimizer, 1), callbacks=[Rates()],
    ...     progress=False,
    ... )
    1 0.5
    2 0.05
    """

    def before_fit(self, training: Training) -> None:
        """Called once, before all."""

    def before_epoch(self, training: Training) -> None:
        """Called before the first batch of an epoch; the model is in training mode."""

    def before_step(self, training: Training) -> None:
        """Called with a batch that nothing has been computed of."""

    def after_loss(self, training: Training) -> None:
        """Called with the loss, before it is differentiated; not where no label counts."""

    def after_backward(self, training: Training) -> None:
        """Called with the gradients, before the step: to be looked at, or changed."""

    def after_step(self, training: Training) -> None:
        """Called after every step; `history.step_loss` ends with its loss."""

    def after_epoch(self, training: Training) -> None:
        """Called after every epoch and its validation; `history.epochs` ends with it."""

    def after_fit(self, training: Training) -> None:
        """Called once, however the training ends: to its end, by `StopTraining`, by Ctrl-C, or by
        an exception, which goes on then."""


def call(callbacks: Sequence[Callback], name: str, training: Training) -> None:
    """Call all of them for that, though one of them stops the training."""
    stop = None
    for callback in callbacks:
        try:
            getattr(callback, name)(training)
        except StopTraining as raised:
            stop = stop or raised
    if stop is not None:
        raise stop
