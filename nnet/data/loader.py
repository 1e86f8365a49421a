"""Batches of a data set."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from .arrays import OneByOne
from .batches import Samples
from .images.dataset import ImageDataset

__all__ = ["DataLoader"]


class DataLoader(Samples):
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
    transform   is given each batch as the data set makes it, mostly a tuple of tensors, and
                returns what is yielded in its place
    share       (rank, size): the part of each epoch that is this worker's, one of `size` that are
                given the same data set and options

    Each iteration is an epoch: `epoch` counts them and may be set to repeat one. `order(epoch)` and
    `batches(epoch)` say which samples it is of.

    Of an epoch's order share `rank` has the samples at rank, rank + size, rank + 2 size, ...: each
    sample is in one share. All shares have as many batches, none of them empty: where one has a
    sample less than others, its last batch, or two, are smaller. With `drop_last` all batches are
    full, and up to size x batch_size - 1 samples left out, others in each epoch if it is shuffled.

    Raises TypeError for a data set that is none and for a seed or share that are no integers,
    ValueError for a batch size below 1, statistics that do not fit the channels, or such of other
    data, a rank that is not below the size, a share to be shuffled without a seed, and fewer
    samples than all batches of all shares need.

    >>> import nnet as nn
    >>> train, test = nn.data.mnist()
    >>> loader = nn.data.DataLoader(test, batch_size=64, mean=(0.1307,), std=(0.3081,))
    >>> images, labels = next(iter(loader))
    >>> len(loader), images.shape, labels.shape
    (157, (64, 1, 28, 28), (64,))
    >>> inverted = nn.data.DataLoader(test, 64, transform=lambda batch: (1 - batch[0], batch[1]))
    >>> next(iter(inverted))[0].max().item()
    1.0
    >>> parts = [nn.data.DataLoader(list(range(5)), 2, share=(rank, 2)) for rank in range(2)]
    >>> [[batch.tolist() for batch in part] for part in parts]
    [[[0, 2], [4]], [[1], [3]]]
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
        transform: Callable[[Any], Any] | None = None,
        share: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(dataset, batch_size, shuffle, seed, drop_last, transform, share)
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

    def batch(self, indices: np.ndarray) -> Any:
        return self._batch(indices)


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
