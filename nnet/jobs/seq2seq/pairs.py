"""Pairs of texts as the model from one sequence to another takes them."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

import numpy as np

from ... import functional
from ...autograd.integers import as_indices
from ...autograd.tensor import Tensor
from ...data import BucketLoader, PairDataset, Vocabulary
from ...data.text.pairs import Pair
from ...module.module import Module
from ...training import Measured, evaluate
from .description import PairDescription


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
        indices = as_indices("Pairs.subset", indices, len(self))
        return Pairs([self._pairs[index] for index in indices], self._vocabularies)

    def fingerprint(self) -> str:
        """SHA-256 of all pairs in their order."""
        return hashlib.sha256(json.dumps(self._pairs).encode()).hexdigest()

    def loader(self, batch_size: int = 100, **order: Any) -> BucketLoader:
        """Batches of pairs of about one length."""
        return BucketLoader(self.dataset, batch_size, **order)


class Found(NamedTuple):
    """On pairs that were held back.

    loss      per symbol, end included, each told from the true ones before it
    accuracy  share of symbols told right so
    whole     share of outputs that are right from beginning to end, found by the model alone
    """

    loss: float
    accuracy: float
    whole: float


def tested(model: Module, pairs: Pairs, description: PairDescription) -> Found:
    """On those pairs."""
    loss, accuracy = evaluate(model, pairs.loader(), measure=continued)
    assert accuracy is not None
    whole = 0
    for indices in np.array_split(np.arange(len(pairs)), -(-len(pairs) // 100)):
        source, lengths, *_ = pairs.dataset.batch(indices)
        outputs = model.greedy(source, lengths, max_length=description.longest + 1)
        wanted = (pairs.dataset.targets[index][1:-1].tolist() for index in indices)
        whole += sum(output.tokens == ids for output, ids in zip(outputs, wanted, strict=True))
    return Found(loss, accuracy, whole / len(pairs))


def continued(model: Module, batch: tuple[Tensor, Tensor, Tensor, Tensor]) -> Measured:
    """Of batches (source (S, N), its lengths, target (T, N), its lengths): a symbol counts once."""
    source, lengths, target, _ = batch
    scores = model(source, target, lengths).flatten(0, 1)
    wanted = target[1:].flatten()
    real = wanted.numpy() != model.pad
    right = int((scores.numpy().argmax(1) == wanted.numpy())[real].sum())
    loss = functional.cross_entropy(scores, wanted, ignore_index=model.pad)
    return Measured(loss, int(real.sum()), right)
