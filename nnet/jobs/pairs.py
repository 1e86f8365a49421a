"""Pairs of texts as the model from one sequence to another takes them."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

import numpy as np

from ..data import BucketLoader, PairDataset, Vocabulary
from ..data.pairs import Pair
from ..training.descriptions import PairDescription


class Vocabularies(NamedTuple):
    """Of both sides."""

    source: Vocabulary
    target: Vocabulary

    @classmethod
    def of(cls, description: PairDescription) -> Vocabularies:
        """Those that the model was trained with."""
        return cls(*map(Vocabulary.from_dict, (description.source, description.target)))


class Pairs:
    """A part of the data of a run.

    Raises ValueError naming the pair and the symbol that the vocabularies lack.
    """

    def __init__(self, pairs: list[Pair], vocabularies: Vocabularies) -> None:
        self._pairs, self._vocabularies = pairs, vocabularies
        self.dataset = PairDataset.from_tokens(pairs, *vocabularies)

    def __len__(self) -> int:
        return len(self._pairs)

    def subset(self, indices: np.ndarray) -> Pairs:
        """The pairs at `indices`, in that order, as a part of its own."""
        return Pairs([self._pairs[index] for index in indices], self._vocabularies)

    def fingerprint(self) -> str:
        """SHA-256 of all pairs in their order."""
        return hashlib.sha256(json.dumps(self._pairs).encode()).hexdigest()

    def loader(self, batch_size: int = 100, **order: Any) -> BucketLoader:
        """Batches of pairs of about one length."""
        return BucketLoader(self.dataset, batch_size, **order)
