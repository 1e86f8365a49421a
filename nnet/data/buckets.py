"""Batches of sequences of about one length, so that little of a batch is padding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from .. import random
from ..autograd.integers import seed_of, size_of
from .order import shuffled, stream

__all__ = ["BucketLoader"]


class Sequences(Protocol):
    """What batches are made of: `PairDataset`, `SeriesDataset`, or anything like them.

    lengths  (N,) integers
    batch    indices (B,) -> what the loader yields, padded to the longest
    """

    @property
    def lengths(self) -> np.ndarray: ...

    def __len__(self) -> int: ...

    def batch(self, indices: np.ndarray, batch_first: bool = False) -> tuple[Any, ...]: ...


class BucketLoader:
    """Batches of samples of similar length.

    dataset      has `lengths` and `batch`, see `Sequences`
    batch_size   samples a batch; one batch of an epoch is smaller if they do not go round
    shuffle      draw other batches in another order every epoch
    seed         the order is a pure function of (seed, epoch); drawn from the library's random
                 numbers (`manual_seed`) if not given
    drop_last    leave the smaller batch out
    batch_first  (N, T, ...) instead of (T, N, ...)
    pool         batches whose samples are sorted together: with 1 batches are random and full of
                 padding, with many they hold one length each, and the same neighbours again

    An epoch's samples are shuffled, sorted by length within each pool, cut into batches, and the
    batches shuffled. Without `shuffle` all are sorted, the shortest first. `batches(epoch)` says
    which samples are where. `epoch` counts the iterations and may be set to repeat one.

    Raises TypeError for a seed that is no integer, ValueError for a batch_size or pool below 1.

    >>> import numpy as np, nnet as nn
    >>> ramps = [np.arange(length) for length in (5, 2, 4, 2, 5, 3)]
    >>> pairs = nn.data.PairDataset(ramps, ramps, padding=0)
    >>> loader = nn.data.BucketLoader(pairs, batch_size=2, shuffle=True, seed=0)
    >>> [lengths.numpy().tolist() for source, lengths, *_ in loader]
    [[3, 4], [5, 5], [2, 2]]
    """

    def __init__(
        self,
        dataset: Sequences,
        batch_size: int = 1,
        shuffle: bool = False,
        seed: int | None = None,
        drop_last: bool = False,
        *,
        batch_first: bool = False,
        pool: int = 100,
    ) -> None:
        self.dataset = dataset
        self.batch_size = size_of("BucketLoader", "batch_size", batch_size)
        self.pool = size_of("BucketLoader", "pool", pool)
        if seed is not None:
            seed = seed_of("BucketLoader", "seed", seed)
        self.shuffle = shuffle
        self.seed = random.next_seed() if shuffle and seed is None else seed
        self.drop_last = drop_last
        self.batch_first = batch_first
        self.epoch = 0

    def __len__(self) -> int:
        full, rest = divmod(len(self.dataset), self.batch_size)
        return full + (rest > 0 and not self.drop_last)

    def batches(self, epoch: int) -> list[np.ndarray]:
        """The samples of each batch of that epoch."""
        lengths, count = np.asarray(self.dataset.lengths), len(self.dataset)
        if not self.shuffle:
            found = self._cut(np.argsort(lengths, kind="stable"))
        else:
            assert self.seed is not None
            order = shuffled(count, self.seed, epoch)
            size = self.pool * self.batch_size
            found = []
            for start in range(0, count, size):
                part = order[start : start + size]
                found += self._cut(part[np.argsort(lengths[part], kind="stable")])
            # Another stream than that of the samples, though of the same seed and epoch.
            words = stream(self.seed, epoch, counter=1 << 128).random_raw(len(found))
            found = [found[batch] for batch in np.argsort(words, kind="stable")]
        return [batch for batch in found if len(batch) == self.batch_size or not self.drop_last]

    def _cut(self, order: np.ndarray) -> list[np.ndarray]:
        return [
            order[start : start + self.batch_size]
            for start in range(0, len(order), self.batch_size)
        ]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        batches = self.batches(self.epoch)
        self.epoch += 1
        for indices in batches:
            yield self.dataset.batch(indices, self.batch_first)
