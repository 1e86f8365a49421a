"""The training loop."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Protocol

from .. import functional
from ..autograd.integers import is_integer
from ..module.module import Module
from .callback import Callback, StopTraining, Training, call
from .clock import Clock
from .defaults import with_defaults
from .evaluation import Batches, evaluate
from .history import Epoch, History
from .measures import Average, Loss, Measure, supervised


class Batched(Protocol):
    """What yields batches, anew each time, and knows how many."""

    def __iter__(self) -> Iterator[Any]: ...

    def __len__(self) -> int: ...


def fit(
    model: Module,
    train_loader: Batched,
    *,
    epochs: int | None,
    optimizer: Any,
    loss: Loss = functional.cross_entropy,
    validation: Batches | None = None,
    scheduler: Any = None,
    scheduler_every: str = "step",
    callbacks: Sequence[Callback] = (),
    progress: bool = True,
    measure: Callable[[], Measure] | None = None,
    clip: float | None = None,
    clock: Clock | None = None,
) -> History:
    """Train a model, and return what happened.

    train_loader     yields (inputs, targets) and has a length; iterated once an epoch
    epochs           passes over it; None for as many as a clock or a callback leaves time for
    optimizer        over the model's parameters
    loss             (outputs, targets) -> the mean over the batch; both as the model and the
                     loader give them, one tensor or several
    validation       yields (inputs, targets); evaluated after each epoch
    scheduler        its `step()` is called after each "step" or "epoch", see scheduler_every
    callbacks        see `Callback`; called in this order, behind `Guard`, scheduler and `Progress`,
                     before clip and clock
    progress         show a bar on a terminal, and print a line an epoch, see `Progress`
    measure          in place of loss, for other batches: makes for each pass what computes the
                     loss of a batch, see `measures`
    clip             greatest length of all gradients together, see `ClipGradients`
    clock            ends the training, in the midst of an epoch, when it is over

    A batch of which no label counts, for the loss ignores them all, is passed over.

    `StopTraining` and Ctrl-C end the training: the model keeps what it has learnt, and
    `history.stopped` says why, or `history.interrupted` is True. The model is left in training
    mode.

    Raises NonFiniteLoss when the loss is NaN or infinite; the model then has its last good
    weights. Raises TypeError for epochs that are no integer, and None where nothing could end the
    training, ValueError for no epochs, no batches, an epoch without a label that counts or another
    scheduler_every.

    >>> import nnet as nn
    >>> train, test = nn.data.mnist()
    >>> loader = nn.data.DataLoader(train.subset(range(256)), batch_size=64, shuffle=True, seed=0)
    >>> model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    >>> optimizer = nn.optim.Adam(model.parameters(), lr=1e-3)
    >>> history = nn.fit(model, loader, epochs=2, optimizer=optimizer, progress=False)
    >>> history.epochs[1].train_loss < history.epochs[0].train_loss
    True
    """
    _check(epochs, train_loader, bool(callbacks) or clock is not None)
    if scheduler_every not in ("step", "epoch"):
        raise ValueError(f"fit: expected scheduler_every step or epoch, got {scheduler_every!r}")
    callbacks = with_defaults(
        callbacks,
        scheduler=scheduler,
        scheduler_every=scheduler_every,
        clip=clip,
        clock=clock,
        progress=progress,
    )
    measure = measure or (lambda: supervised(loss))
    history = History(steps_an_epoch=len(train_loader))
    training = Training(model, optimizer, history, epochs)
    try:
        call(callbacks, "before_fit", training)
        while training.epoch != epochs and history.stopped is None:
            start = time.perf_counter()
            model.train()
            training.epoch, training.step = training.epoch + 1, 0
            training.measure, training.average = measure(), Average()
            try:
                call(callbacks, "before_epoch", training)
                for batch in train_loader:
                    training.step, training.batch = training.step + 1, batch
                    _step(training, callbacks)
            except StopTraining as stop:
                history.stopped = stop.reason
            seconds = time.perf_counter() - start
            if training.average.count:
                record = _record(training, seconds)
                if validation is not None:
                    found = evaluate(model, validation, measure=measure())
                    record.validation_loss, record.validation_accuracy = found
                history.epochs.append(record)
                call(callbacks, "after_epoch", training)
            elif history.stopped is None:
                raise ValueError("fit: expected an epoch with a label that counts, got none")
    except StopTraining as stop:
        history.stopped = stop.reason
    except KeyboardInterrupt:
        history.interrupted = True
    finally:
        with suppress(StopTraining):
            call(callbacks, "after_fit", training)
    return history


def _step(training: Training, callbacks: Sequence[Callback]) -> None:
    """Of a batch; none where no label of it counts."""
    model, optimizer = training.model, training.optimizer
    call(callbacks, "before_step", training)
    optimizer.zero_grad()
    training.measured = training.measure(model, training.batch)
    if not training.measured.size:
        return
    training.loss = training.measured.loss.item()
    call(callbacks, "after_loss", training)
    training.measured.loss.backward()
    call(callbacks, "after_backward", training)
    optimizer.step()
    training.learning_rate = float(optimizer.param_groups[0]["lr"])
    training.history.step_loss.append(training.loss)
    training.average.add(training.loss, training.measured)
    call(callbacks, "after_step", training)


def _record(training: Training, seconds: float) -> Epoch:
    average, rate = training.average, training.learning_rate
    return Epoch(average.loss, average.accuracy, None, None, rate, seconds)


def _check(epochs: int | None, train_loader: Batched, may_stop: bool) -> None:
    if epochs is None and not may_stop:
        raise TypeError(
            "fit: expected epochs as an integer, got None, and no clock or callback to end it"
        )
    if epochs is not None and not is_integer(epochs):
        raise TypeError(f"fit: expected epochs as an integer, got {epochs!r}")
    if epochs is not None and epochs < 1:
        raise ValueError(f"fit: expected at least one epoch, got {epochs}")
    if len(train_loader) < 1:
        raise ValueError("fit: expected a train_loader of at least one batch, got none")
