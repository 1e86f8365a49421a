"""The training loop."""

import time
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from .. import functional
from ..module import Module
from ..tensor import Tensor
from .accuracy import count_right
from .diagnostics import Guard
from .evaluation import Batches, Loss, evaluate
from .history import Epoch, History


class Callback:
    """What to do between steps and epochs; override what is of use."""

    def after_step(self, model: Module, history: History) -> None:
        """Called after every step; `history.step_loss` ends with its loss."""

    def after_epoch(self, model: Module, history: History) -> None:
        """Called after every epoch; `history.epochs` ends with it."""


class Batched(Protocol):
    """What yields (inputs, targets), anew each time, and knows how many."""

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]: ...

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
) -> History:
    """Train a model, and return what happened.

    train_loader     yields (inputs, targets) and has a length; iterated once an epoch
    epochs           passes over it
    optimizer        over the model's parameters
    loss             (outputs, targets) -> the mean over the batch
    validation       yields (inputs, targets); evaluated after each epoch
    scheduler        its `step()` is called after each "step" or "epoch", see scheduler_every
    callbacks        see `Callback`
    progress         show a bar on a terminal, and print a line an epoch

    Ctrl-C ends the training: the model keeps what it has learnt and `history.interrupted` is
    True. The model is left in training mode.

    Raises NonFiniteLoss when the loss is NaN or infinite; the model then has its last good
    weights. Raises ValueError for no epochs, no batches or another scheduler_every.

    >>> import nnet as nn
    >>> train, test = nn.data.mnist()
    >>> loader = nn.data.DataLoader(train.subset(range(256)), batch_size=64, shuffle=True, seed=0)
    >>> model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    >>> optimizer = nn.optim.Adam(model.parameters(), lr=1e-3)
    >>> history = nn.fit(model, loader, epochs=2, optimizer=optimizer, progress=False)
    >>> history.epochs[1].train_loss < history.epochs[0].train_loss
    True
    """
    if epochs < 1:
        raise ValueError(f"fit: expected at least one epoch, got {epochs}")
    if len(train_loader) < 1:
        raise ValueError("fit: expected a train_loader of at least one batch, got none")
    if scheduler_every not in ("step", "epoch"):
        raise ValueError(f"fit: expected scheduler_every step or epoch, got {scheduler_every!r}")
    history = History(steps_an_epoch=len(train_loader))
    guard = Guard(model)
    try:
        for epoch in range(1, epochs + 1):
            start = time.perf_counter()
            model.train()
            running = _Running()
            with _bar(f"epoch {epoch}/{epochs}", len(train_loader), progress) as bar:
                for inputs, targets in train_loader:
                    optimizer.zero_grad()
                    outputs = model(inputs)
                    value = loss(outputs, targets)
                    number = value.item()
                    guard.check(number, inputs, history)
                    value.backward()
                    optimizer.step()
                    rate = float(optimizer.param_groups[0]["lr"])
                    if scheduler is not None and scheduler_every == "step":
                        scheduler.step()
                    history.step_loss.append(number)
                    running.add(number, outputs, targets)
                    bar.set_postfix_str(str(running), refresh=False)
                    bar.update()
                    for callback in callbacks:
                        callback.after_step(model, history)
            seconds = time.perf_counter() - start
            if scheduler is not None and scheduler_every == "epoch":
                scheduler.step()
            record = Epoch(running.loss, running.accuracy, None, None, rate, seconds)
            if validation is not None:
                found = evaluate(model, validation, loss)
                record.validation_loss, record.validation_accuracy = found
            history.epochs.append(record)
            if progress:
                print(_line(epoch, epochs, record))
            for callback in callbacks:
                callback.after_epoch(model, history)
    except KeyboardInterrupt:
        history.interrupted = True
    return history


class _Running:
    """Averages over the samples of an epoch so far."""

    def __init__(self) -> None:
        self._total, self._right, self._samples = 0.0, 0, 0
        self._classes = True

    def add(self, loss: float, outputs: Tensor, targets: Tensor) -> None:
        count = len(targets)
        self._total += loss * count
        self._samples += count
        right = count_right(outputs.numpy(), targets.numpy())
        self._classes = self._classes and right is not None
        self._right += right or 0

    @property
    def loss(self) -> float:
        return self._total / self._samples

    @property
    def accuracy(self) -> float | None:
        return self._right / self._samples if self._classes else None

    def __str__(self) -> str:
        return _measures("", self.loss, self.accuracy)


def _bar(title: str, total: int, progress: bool) -> Any:
    from tqdm import tqdm

    # disable=None: only on a terminal.
    return tqdm(
        total=total, desc=title, unit="batch", leave=False, disable=None if progress else True
    )


def _line(epoch: int, epochs: int, record: Epoch) -> str:
    parts = [_measures("training", record.train_loss, record.train_accuracy)]
    if record.validation_loss is not None:
        parts.append(_measures("validation", record.validation_loss, record.validation_accuracy))
    return f"epoch {epoch}/{epochs}  {'  '.join(parts)}  {record.seconds:.1f} s"


def _measures(name: str, loss: float, accuracy: float | None) -> str:
    share = "" if accuracy is None else f", {100 * accuracy:.2f} %"
    return f"{name} loss {loss:.4f}{share}".strip()
