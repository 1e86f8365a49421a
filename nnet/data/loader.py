"""Batches of a data set."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from .. import random
from ..autograd.integers import seed_of, size_of
from .arrays import OneByOne
from .images.dataset import ImageDataset
from .order import shuffled

__all__ = ["DataLoader"]


class DataLoader:
    """Batches of a data set, as tensors.

    dataset     an `ImageDataset`: normalized images (B, C, H, W) float32 and labels (B,) int64;
                an `ArrayDataset`, or whatever has a length and a method batch(indices); or what
                has a length and is indexed, as a list of pairs
    batch_size  samples a batch; the last one of an epoch is smaller if they do not go round
    shuffle     draw another order every epoch
    seed        the order is a pure function of (seed, epoch); drawn from the library's random
                numbers (`manual_seed`) if not given
    drop_last   leave a smaller last batch out
    mean, std   of images: one number a channel, of pixels scaled to [0, 1], as by
                `channel_statistics`; without them pixels are scaled to [0, 1]

    Each iteration is an epoch: `epoch` counts them and may be set to repeat one.

    Raises TypeError for a data set that is none and for a seed that is no integer, ValueError for
    a batch size below 1, statistics that do not fit the channels, or such of other data.

    >>> import nnet as nn
    >>> train, test = nn.data.mnist()
    >>> loader = nn.data.DataLoader(test, batch_size=64, mean=(0.1307,), std=(0.3081,))
    >>> images, labels = next(iter(loader))
    >>> len(loader), images.shape, labels.shape
    (157, (64, 1, 28, 28), (64,))
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        seed: int | None = None,
        drop_last: bool = False,
        *,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
    ) -> None:
        self.batch_size = size_of("DataLoader", "a batch_size", batch_size)
        if seed is not None:
            seed = seed_of("DataLoader", "seed", seed)
        if not hasattr(dataset, "__len__"):
            got = type(dataset).__name__
            raise TypeError(f"DataLoader: expected a data set, which has a length, got {got}")
        if isinstance(dataset, ImageDataset):
            channels = dataset.images.shape[1]
            self.mean = _one_per_channel("mean", mean, channels, 0.0)
            self.std = _one_per_channel("std", std, channels, 1.0)
            if not all(std > 0 for std in self.std):
                raise ValueError(f"DataLoader: expected std > 0, got {self.std}")
            self._batch: Callable[[np.ndarray], Any] = partial(
                dataset.batch, mean=self.mean, std=self.std
            )
        else:
            if mean is not None or std is not None:
                raise ValueError("DataLoader: expected mean and std with an ImageDataset alone")
            self._batch = dataset.batch if hasattr(dataset, "batch") else OneByOne(dataset).batch
        self.dataset = dataset
        self.shuffle = shuffle
        self.seed = random.next_seed() if shuffle and seed is None else seed
        self.drop_last = drop_last
        self.epoch = 0

    def __len__(self) -> int:
        full, rest = divmod(len(self.dataset), self.batch_size)
        return full + (rest > 0 and not self.drop_last)

    def order(self, epoch: int) -> np.ndarray:
        """The samples in the order of that epoch."""
        if not self.shuffle:
            return np.arange(len(self.dataset))
        assert self.seed is not None
        return shuffled(len(self.dataset), self.seed, epoch)

    def __iter__(self) -> Iterator[Any]:
        order = self.order(self.epoch)
        self.epoch += 1
        for batch in range(len(self)):
            yield self._batch(order[batch * self.batch_size : (batch + 1) * self.batch_size])


def _one_per_channel(
    name: str, values: Sequence[float] | None, channels: int, default: float
) -> tuple[float, ...]:
    if values is None:
        return (default,) * channels
    if len(values) != channels:
        raise ValueError(
            f"DataLoader: expected {name} of {channels} numbers, one a channel, got {values}"
        )
    return tuple(float(value) for value in values)
