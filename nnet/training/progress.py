"""What a training shows while it runs."""

from contextlib import suppress
from typing import Any

from .callback import Callback, Training
from .history import Epoch


class Progress(Callback):
    """A bar of an epoch's batches, on a terminal alone, and a line an epoch.

    >>> import nnet as nn
    >>> model, batch = nn.Linear(1, 2), (nn.tensor([[1.0], [-1.0]]), nn.tensor([0, 1]))
    >>> _ = nn.init.zeros_(model.weight), nn.init.zeros_(model.bias)
    >>> history = nn.fit(
    ...     model, [batch], epochs=1, optimizer=nn.optim.SGD(model.parameters(), lr=0.5),
    ...     callbacks=[nn.training.Progress()],
    ... )
    epoch 1/1  training loss 0.6931, 50.00 %  ... s
    """

    _bar: Any = None

    def before_epoch(self, training: Training) -> None:
        from tqdm import tqdm

        self._bar = tqdm(
            total=training.history.steps_an_epoch,
            desc=_title(training),
            unit="batch",
            leave=False,
            disable=None,  # but on a terminal
        )

    def after_step(self, training: Training) -> None:
        average = training.average
        self._bar.set_postfix_str(_measures("", average.loss, average.accuracy), False)
        self._bar.update(training.step - self._bar.n)

    def after_epoch(self, training: Training) -> None:
        self._bar.close()
        say(_line(_title(training), training.history.epochs[-1]))

    def after_fit(self, training: Training) -> None:
        if self._bar is not None:
            self._bar.close()


def say(text: str) -> None:
    """Print a line, or not where nobody reads it: that is no reason to lose a training."""
    with suppress(OSError):
        print(text)


def _title(training: Training) -> str:
    of = "" if training.epochs is None else f"/{training.epochs}"
    return f"epoch {training.epoch}{of}"


def _line(title: str, record: Epoch) -> str:
    """What an epoch came to."""
    parts = [_measures("training", record.train_loss, record.train_accuracy)]
    if record.validation_loss is not None:
        parts.append(_measures("validation", record.validation_loss, record.validation_accuracy))
    return f"{title}  {'  '.join(parts)}  {record.seconds:.1f} s"


def _measures(name: str, loss: float, accuracy: float | None) -> str:
    """loss 0.1234, 98.76 %"""
    share = "" if accuracy is None else f", {100 * accuracy:.2f} %"
    return f"{name} loss {loss:.4f}{share}".strip()
