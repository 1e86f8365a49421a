"""Pairs of sequences: what comes in and what is to come out, as in translation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...autograd.integers import as_indices, is_integer
from ...autograd.tensor import Tensor
from ..sequences import pad_sequence
from .vocabulary import Vocabulary

__all__ = ["PairDataset", "with_ends"]

Pair = tuple[list[str], list[str]]


class PairDataset:
    """Pairs of sequences of ids; `BucketLoader` makes batches of them.

    sources, targets  N arrays (length,) of integers each, none empty
    padding           the id that fills a batch; one for both, or (source's, target's)

    `lengths` are those of the sources, or of the targets where they are longer.

    Raises TypeError for ids that are no integers, ValueError for counts that differ, no pairs and
    an empty sequence.

    >>> import nnet as nn
    >>> pairs = [(["to", "be"], ["sein"]), (["see"], ["sehen"])]
    >>> english = nn.data.Vocabulary.from_tokens((e for e, _ in pairs), "words", ["<pad>"])
    >>> german = nn.data.Vocabulary.from_tokens(
    ...     (g for _, g in pairs), "words", ["<pad>", "<bos>", "<eos>"]
    ... )
    >>> data = nn.data.PairDataset.from_tokens(pairs, english, german)
    >>> source, source_lengths, target, target_lengths = data.batch([0, 1])
    >>> source.numpy().T, target.numpy().T, source_lengths.numpy()
    (array([[3, 1],
           [2, 0]]), array([[1, 4, 2],
           [1, 3, 2]]), array([2, 1]))
    """

    def __init__(
        self,
        sources: Sequence[np.ndarray],
        targets: Sequence[np.ndarray],
        padding: int | tuple[int, int],
    ) -> None:
        if len(sources) != len(targets) or not len(sources):
            raise ValueError(
                "PairDataset: expected as many sources as targets, at least one, "
                f"got {len(sources)} and {len(targets)}"
            )
        self.sources = _checked("source", sources)
        self.targets = _checked("target", targets)
        both = padding if isinstance(padding, tuple) else (padding, padding)
        if len(both) != 2 or not all(map(is_integer, both)):
            raise TypeError(f"PairDataset: expected padding as one or two ids, got {padding!r}")
        self.padding = both

    @classmethod
    def from_tokens(
        cls, pairs: Sequence[Pair], source: Vocabulary, target: Vocabulary
    ) -> PairDataset:
        """The ids of pairs of tokens, as `read_pairs` gives them.

        A sequence begins with "<bos>" and ends with "<eos>" where its vocabulary has them. Both
        must have "<pad>". Raises ValueError naming the pair where a symbol is unknown.
        """
        sides: list[list[np.ndarray]] = []
        for side, (name, vocabulary) in enumerate((("source", source), ("target", target))):
            if vocabulary.pad is None:
                raise ValueError(f"PairDataset: expected a {name} vocabulary with '<pad>'")
            found = []
            for index, pair in enumerate(pairs):
                try:
                    found.append(with_ends(vocabulary, pair[side]))
                except ValueError as error:
                    raise ValueError(f"PairDataset: {name} of pair {index}: {error}") from None
            sides.append(found)
        assert source.pad is not None and target.pad is not None
        return cls(sides[0], sides[1], (source.pad, target.pad))

    def __len__(self) -> int:
        return len(self.sources)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return self.sources[index], self.targets[index]

    @property
    def lengths(self) -> np.ndarray:
        return np.array(
            [max(map(len, pair)) for pair in zip(self.sources, self.targets, strict=True)], np.int64
        )

    def subset(self, indices: Sequence[int] | np.ndarray) -> PairDataset:
        """The pairs at `indices`, in that order, or where a mask is True, as their own data set.

        Raises TypeError for what is neither, IndexError for what is out of range.
        """
        indices = as_indices("PairDataset.subset", indices, len(self))
        return PairDataset(
            [self.sources[index] for index in indices],
            [self.targets[index] for index in indices],
            self.padding,
        )

    def batch(
        self, indices: Sequence[int] | np.ndarray, batch_first: bool = False
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Source (S, N), its lengths (N,), target (T, N), its lengths (N,): int64 tensors.

        batch_first  (N, S) and (N, T) instead
        """
        indices = as_indices("PairDataset.batch", indices, len(self))
        source, target = (
            pad_sequence([side[index] for index in indices], batch_first, padding)
            for side, padding in zip((self.sources, self.targets), self.padding, strict=True)
        )
        lengths = (
            Tensor(np.array([len(side[index]) for index in indices], np.int64))
            for side in (self.sources, self.targets)
        )
        return source, next(lengths), target, next(lengths)


def with_ends(vocabulary: Vocabulary, tokens: str | Sequence[str]) -> np.ndarray:
    """The ids of a text or of tokens between "<bos>" and "<eos>", where the vocabulary has them.

    >>> import nnet as nn
    >>> letters = nn.data.Vocabulary("ab", specials=["<bos>", "<eos>"])
    >>> nn.data.with_ends(letters, "abba")
    array([0, 2, 3, 3, 2, 1])
    """
    begin = [] if vocabulary.bos is None else [vocabulary.bos]
    end = [] if vocabulary.eos is None else [vocabulary.eos]
    return np.array([*begin, *vocabulary.encode(tokens), *end], np.int64)


def _checked(name: str, sequences: Sequence[np.ndarray]) -> list[np.ndarray]:
    found = [np.asarray(ids) for ids in sequences]
    for index, ids in enumerate(found):
        if ids.size and ids.dtype.kind not in "iu":
            raise TypeError(
                f"PairDataset: expected ids to be integers, got {ids.dtype} at {name} {index}"
            )
        if ids.ndim != 1 or not ids.size:
            raise ValueError(
                f"PairDataset: expected ids of shape (length,), at least one, "
                f"got shape {ids.shape} at {name} {index}"
            )
    return [ids.astype(np.int64, copy=False) for ids in found]
