"""The training loop."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol

from .. import functional
from ..autograd.integers import is_integer
from ..module.module import Module
from ..optim.clip_gradients import clip_grad_norm_
from .callback import Callback
from .clock import Clock
from .diagnostics.guard import Guard
from .evaluation import Batches, evaluate
from .history import Epoch, History
from .measures import Average, Loss, Measure, supervised
from .progress import bar, line, measures, say


class Batched(Protocol):
    """What yields batches, anew each time, and knows how many."""

    def __iter__(self) -> Iterator[Any]: ...

    def __len__(self) -> int: ...


def fit(
    model: Module,
    train_loader: Batched,
    *,
    epochs: int,
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
    epochs           passes over it
    optimizer        over the model's parameters
    loss             (outputs, targets) -> the mean over the batch; both as the model and the
                     loader give them, one tensor or several
    validation       yields (inputs, targets); evaluated after each epoch
    scheduler        its `step()` is called after each "step" or "epoch", see scheduler_every
    callbacks        see `Callback`
    progress         show a bar on a terminal, and print a line an epoch
    measure          in place of loss, for other batches: makes for each pass what computes the
                     loss of a batch, see `measures`
    clip             greatest length of all gradients together, see `clip_grad_norm_`
    clock            ends the training, in the midst of an epoch, when it is over

    A batch of which no label counts, for the loss ignores them all, is passed over.

    Ctrl-C ends the training: the model keeps what it has learnt and `history.interrupted` is
    True. The model is left in training mode.

    Raises NonFiniteLoss when the loss is NaN or infinite; the model then has its last good
    weights. Raises TypeError for epochs that are no integer, ValueError for no epochs, no batches,
    an epoch without a label that counts or another scheduler_every.

    >>> import nnet as nn
    >>> train, test = nn.data.mnist()
    >>> loader = nn.data.DataLoader(train.subset(range(256)), batch_size=64, shuffle=True, seed=0)
    >>> model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    >>> optimizer = nn.optim.Adam(model.parameters(), lr=1e-3)
    >>> history = nn.fit(model, loader, epochs=2, optimizer=optimizer, progress=False)
    >>> history.epochs[1].train_loss < history.epochs[0].train_loss
    True
    """
    if not is_integer(epochs):
        raise TypeError(f"fit: expected epochs as an integer, got {epochs!r}")
    if epochs < 1:
        raise ValueError(f"fit: expected at least one epoch, got {epochs}")
    if len(train_loader) < 1:
        raise ValueError("fit: expected a train_loader of at least one batch, got none")
    if scheduler_every not in ("step", "epoch"):
        raise ValueError(f"fit: expected scheduler_every step or epoch, got {scheduler_every!r}")
    measure = measure or (lambda: supervised(loss))
    history = History(steps_an_epoch=len(train_loader))
    guard = Guard(model)
    over = False
    try:
        for epoch in range(1, epochs + 1):
            start = time.perf_counter()
            model.train()
            measure_batch, average = measure(), Average()
            title = f"epoch {epoch}" if clock is not None else f"epoch {epoch}/{epochs}"
            with bar(title, len(train_loader), progress) as shown:
                for batch in train_loader:
                    optimizer.zero_grad()
                    found = measure_batch(model, batch)
                    if not found.size:
                        shown.update()
                        continue
                    number = found.loss.item()
                    again = partial(measure_batch, model, batch)
                    inputs = batch[0] if isinstance(batch, tuple | list) else batch
                    guard.check(number, inputs, again, history)
                    found.loss.backward()
                    if clip is not None:
                        clip_grad_norm_(model.parameters(), clip)
                    optimizer.step()
                    rate = float(optimizer.param_groups[0]["lr"])
                    if scheduler is not None and scheduler_every == "step":
                        scheduler.step()
                    history.step_loss.append(number)
                    average.add(number, found)
                    shown.set_postfix_str(measures("", average.loss, average.accuracy), False)
                    shown.update()
                    for callback in callbacks:
                        callback.after_step(model, history)
                    over = clock is not None and clock.over
                    if over:
                        break
            if not average.count:
                raise ValueError("fit: expected an epoch with a label that counts, got none")
            seconds = time.perf_counter() - start
            if scheduler is not None and scheduler_every == "epoch":
                scheduler.step()
            record = Epoch(average.loss, average.accuracy, None, None, rate, seconds)
            if validation is not None:
                found_there = evaluate(model, validation, measure=measure())
                record.validation_loss, record.validation_accuracy = found_there
            history.epochs.append(record)
            if progress:
                say(line(title, record))
            for callback in callbacks:
                callback.after_epoch(model, history)
            if over:
                break
    except KeyboardInterrupt:
        history.interrupted = True
    return history
