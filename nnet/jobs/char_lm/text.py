"""Text as the character model takes it."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import functional
from ...autograd.tensor import Tensor
from ...data import TextStreams, Vocabulary
from ...module.module import Module
from ...training import Measure, Measured
from ...training.accuracy import count_right
from .description import TextDescription


@dataclass(frozen=True)
class Text:
    """A part of the data of a run."""

    content: str

    def __len__(self) -> int:
        return len(self.content)

    def fingerprint(self) -> str:
        """SHA-256 of its UTF-8."""
        return hashlib.sha256(self.content.encode()).hexdigest()


def ids_of(text: str, vocabulary: Vocabulary, what: str) -> np.ndarray:
    """Its characters' ids. Raises ValueError naming all characters that the model has not seen."""
    unseen = sorted({character for character in text if character not in vocabulary})
    if unseen:
        raise ValueError(
            f"{what}: expected characters of the text that the model was trained on, "
            f"got {', '.join(map(repr, unseen))}"
        )
    return vocabulary.encode(text)


def vocabulary_of(description: TextDescription) -> Vocabulary:
    return Vocabulary.from_dict(description.vocabulary)


def streams_of(ids: np.ndarray, batch_size: int, steps: int) -> TextStreams:
    """Of a text too short for so many streams of `steps` characters, as many as it fills."""
    streams = max(1, min(batch_size, (len(ids) - 1) // steps))
    return TextStreams(ids, streams, steps)


def carried() -> Measure:
    """Of batches (inputs (T, B), targets (T, B)) that go on where the one before ended.

    The state is carried over, the gradient is not: truncated backpropagation through time.
    """
    state: Any = None

    def measure(model: Module, batch: tuple[Tensor, Tensor]) -> Measured:
        nonlocal state
        inputs, targets = batch
        scores, state = model(inputs, state)
        state = state.detach() if isinstance(state, Tensor) else tuple(s.detach() for s in state)
        scores, targets = scores.flatten(0, 1), targets.flatten()
        right = count_right(scores.numpy(), targets.numpy())
        return Measured(functional.cross_entropy(scores, targets), len(targets), right)

    return measure
