"""What a training shows while it runs."""

from contextlib import suppress
from typing import Any

from .history import Epoch


def bar(title: str, total: int, progress: bool) -> Any:
    """A bar of that many batches, on a terminal alone."""
    from tqdm import tqdm

    # disable=None: only on a terminal.
    return tqdm(
        total=total, desc=title, unit="batch", leave=False, disable=None if progress else True
    )


def say(text: str) -> None:
    """Print a line, or not where nobody reads it: that is no reason to lose a training."""
    with suppress(OSError):
        print(text)


def line(title: str, record: Epoch) -> str:
    """What an epoch came to."""
    parts = [measures("training", record.train_loss, record.train_accuracy)]
    if record.validation_loss is not None:
        parts.append(measures("validation", record.validation_loss, record.validation_accuracy))
    return f"{title}  {'  '.join(parts)}  {record.seconds:.1f} s"


def measures(name: str, loss: float, accuracy: float | None) -> str:
    """loss 0.1234, 98.76 %"""
    share = "" if accuracy is None else f", {100 * accuracy:.2f} %"
    return f"{name} loss {loss:.4f}{share}".strip()
