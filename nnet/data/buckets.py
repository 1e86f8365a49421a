"""Batches of sequences of about one length, so that little of a batch is padding."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from ..autograd.integers import size_of
from .batches import Dataset, Samples, edges
from .order import stream

__all__ = ["BucketLoader"]


class Sequences(Dataset, Protocol):
    """What batches are made of: `PairDataset`, `SeriesDataset`, or anything like them.

    lengths  (N,) integers
    batch    indices (B,) -> what the loader yields, padded to the longest
    """

    @property
    def lengths(self) -> np.ndarray: ...

    def batch(self, indices: np.ndarray, batch_first: bool = False) -> tuple[Any, ...]: ...


class BucketLoader(Samples):
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
    transform    is given each batch as the data set makes it, and returns what is yielded
    share        (rank, size): one worker's part of an epoch's samples, see `DataLoader`

    An epoch's samples are shuffled, sorted by length within each pool, cut into batches, and the
    batches shuffled. Without `shuffle` all are sorted, the shortest first. `batches(epoch)` says
    which samples are where. `epoch` counts the iterations and may be set to repeat one.

    Raises TypeError for a seed that is no integer, ValueError for a batch_size or pool below 1, and
    what `DataLoader` raises for a share.

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
        transform: Callable[[Any], Any] | None = None,
        share: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(dataset, batch_size, shuffle, seed, drop_last, transform, share)
        self.pool = size_of("BucketLoader", "pool", pool)
        self.batch_first = batch_first

    def batch(self, indices: np.ndarray) -> Any:
        return self.dataset.batch(indices, self.batch_first)

    def batches(self, epoch: int) -> list[np.ndarray]:
        order, lengths = self.order(epoch), np.asarray(self.dataset.lengths)
        # Those of all samples, the smaller one among them that may have to be dropped.
        count = -(-self._most // self.batch_size)
        bounds = edges(len(order), self.batch_size, count)
        if self.shuffle:
            for start, stop in pairwise([*bounds[: -1 : self.pool], len(order)]):
                part = order[start:stop]
                order[start:stop] = part[np.argsort(lengths[part], kind="stable")]
        found = [order[start:stop] for start, stop in pairwise(bounds)]
        if self.shuffle:
            assert self.seed is not None
            # Another stream than that of the samples, though of the same seed and epoch.
            words = stream(self.seed, epoch, counter=1 << 128).random_raw(len(found))
            found = [found[batch] for batch in np.argsort(words, kind="stable")]
        return [batch for batch in found if len(batch) == self.batch_size or not self.drop_last]

    def _whole_order(self, epoch: int) -> np.ndarray:
        if self.shuffle:
            return super()._whole_order(epoch)
        return np.argsort(np.asarray(self.dataset.lengths), kind="stable")
