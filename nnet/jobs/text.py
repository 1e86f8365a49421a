"""Text as the character model takes it."""

import hashlib
from dataclasses import dataclass

import numpy as np

from ..data import Vocabulary


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
