"""Text as batches for language models: each symbol is to be told from those before it."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from ...autograd.integers import size_of
from ...autograd.tensor import Tensor
from ..batches import Epochs, cut
from ..order import seed_or_drawn, shuffled, stream

__all__ = ["split_text", "TextStreams", "TextWindows"]

Text = TypeVar("Text", np.ndarray, str)


def split_text(ids: Text, held_back: float = 0.1) -> tuple[Text, Text]:
    """The beginning of a text to train on, and its end of the fraction `held_back`.

    ids  (n,), or a text as a string

    By position, since windows drawn at random would share sentences. Raises ValueError for a
    fraction that leaves a part empty.

    >>> import nnet as nn
    >>> nn.data.split_text("to be or not to be", 0.3)
    ('to be or not ', 'to be')
    """
    total = len(ids)
    rest = round(held_back * total)
    if not 0 < rest < total:
        raise ValueError(
            f"split_text: expected a fraction of {total} symbols that leaves none of the two parts "
            f"empty, got {held_back}"
        )
    return ids[: total - rest], ids[total - rest :]


class TextStreams(Epochs):
    """A text as parallel streams, cut into steps: for truncated backpropagation through time.

    ids         (n,) integers, as of `Vocabulary.encode`
    batch_size  streams, B: the text is cut into as many pieces of one length, read side by side
    steps       T, symbols of a stream a batch; the last batch of an epoch is shorter if they do
                not go round

    A batch is (inputs (T, B), targets (T, B)), int64 tensors; a target is the symbol after its
    input. Each batch goes on where the one before ended, so the state of a recurrent layer is
    carried over (detached) from batch to batch, and begins anew with the epoch. Of n symbols the
    last (n - 1) % B are left out.

    Raises TypeError for ids that are no integers, ValueError for a batch_size or steps below 1 and
    for a text of fewer than B + 1 symbols.

    >>> import numpy as np, nnet as nn
    >>> streams = nn.data.TextStreams(np.arange(9), batch_size=2, steps=3)
    >>> inputs, targets = next(iter(streams))
    >>> inputs.numpy().T, targets.numpy().T
    (array([[0, 1, 2],
           [4, 5, 6]]), array([[1, 2, 3],
           [5, 6, 7]]))
    """

    def __init__(self, ids: np.ndarray, batch_size: int, steps: int) -> None:
        ids = _checked("TextStreams", ids, batch_size, steps)
        self.batch_size, self.steps = int(batch_size), int(steps)
        length = (ids.size - 1) // batch_size
        used = length * batch_size
        self.inputs = np.ascontiguousarray(ids[:used].reshape(batch_size, length).T)
        self.targets = np.ascontiguousarray(ids[1 : used + 1].reshape(batch_size, length).T)

    def __len__(self) -> int:
        return -(-len(self.inputs) // self.steps)

    def batches(self, epoch: int) -> range:
        """Where each batch begins."""
        return range(0, len(self.inputs), self.steps)

    def load(self, chosen: int) -> tuple[Tensor, Tensor]:
        part = slice(chosen, chosen + self.steps)
        return Tensor(self.inputs[part]), Tensor(self.targets[part])


class TextWindows(Epochs):
    """Windows of a text in random order, each with a state of its own.

    ids         (n,) integers, as of `Vocabulary.encode`
    batch_size  windows a batch, B; the last batch of an epoch is smaller if they do not go round
    steps       T, symbols a window
    seed        the windows are a pure function of (seed, epoch); drawn from the library's random
                numbers (`manual_seed`) if not given

    A batch is (inputs (T, B), targets (T, B)), int64 tensors; a target is the symbol after its
    input. An epoch cuts the text anew, behind a random first part of less than T symbols, and
    shows each window once: `epoch` counts them and may be set to repeat one.

    Raises TypeError for ids that are no integers, ValueError for a batch_size or steps below 1 and
    for a text of fewer than T + 1 symbols.

    >>> import numpy as np, nnet as nn
    >>> windows = nn.data.TextWindows(np.arange(1000), batch_size=4, steps=16, seed=0)
    >>> inputs, targets = next(iter(windows))
    >>> inputs.shape, bool((targets.numpy() == inputs.numpy() + 1).all())
    ((16, 4), True)
    """

    def __init__(
        self, ids: np.ndarray, batch_size: int, steps: int, seed: int | None = None
    ) -> None:
        self.ids = _checked("TextWindows", ids, batch_size, steps, windowed=True)
        self.seed = seed_or_drawn("TextWindows", seed)
        self.batch_size, self.steps = int(batch_size), int(steps)

    def __len__(self) -> int:
        """Batches of an epoch, however much of the text its cut leaves out."""
        return -(-self._windows // self.batch_size)

    @property
    def _windows(self) -> int:
        return max(1, (self.ids.size - self.steps) // self.steps)

    def starts(self, epoch: int) -> np.ndarray:
        """Where the windows of that epoch begin, in their order."""
        spare = self.ids.size - 1 - self._windows * self.steps
        offsets = min(spare + 1, self.steps)
        first = int(stream(self.seed, epoch).random_raw()) % offsets
        return first + self.steps * shuffled(self._windows, self.seed, epoch)

    def batches(self, epoch: int) -> list[np.ndarray]:
        """Where the windows of each batch of that epoch begin."""
        return cut(self.starts(epoch), self.batch_size, len(self))

    def load(self, chosen: np.ndarray) -> tuple[Tensor, Tensor]:
        positions = chosen + np.arange(self.steps)[:, None]
        return Tensor(self.ids[positions]), Tensor(self.ids[positions + 1])


def _checked(
    name: str, ids: np.ndarray, batch_size: int, steps: int, windowed: bool = False
) -> np.ndarray:
    for what, value in (("batch_size", batch_size), ("steps", steps)):
        size_of(name, what, value)
    least = (steps if windowed else batch_size) + 1
    ids = np.asarray(ids)
    if ids.size and ids.dtype.kind not in "iu":
        raise TypeError(f"{name}: expected ids to be integers, got {ids.dtype}")
    if ids.ndim != 1 or ids.size < least:
        raise ValueError(
            f"{name}: expected a text of at least {least} symbols for batch_size {batch_size} and "
            f"steps {steps}, got shape {ids.shape}"
        )
    return ids.astype(np.int64)
