"""Batches of a data set."""

from collections.abc import Iterator, Sequence

import numpy as np

from kernels import gather_normalize

from .. import random
from ..autograd.integers import seed_of, size_of
from ..autograd.tensor import Tensor
from .images.dataset import ImageDataset
from .order import shuffled


class DataLoader:
    """Batches of normalized images (B, C, H, W) float32 and labels (B,) int64, as tensors.

    batch_size  samples a batch; the last one of an epoch is smaller if they do not go round
    shuffle     draw another order every epoch
    seed        the order is a pure function of (seed, epoch); drawn from the library's random
                numbers (`manual_seed`) if not given
    drop_last   leave a smaller last batch out
    mean, std   one number a channel, of pixels scaled to [0, 1], see `channel_statistics`;
                without them pixels are scaled to [0, 1]

    Each iteration is an epoch: `epoch` counts them and may be set to repeat one.

    Raises TypeError for a seed that is no integer, ValueError for a batch size below 1 or
    statistics that do not fit the channels.

    >>> import nnet as nn
    >>> train, test = nn.data.mnist()
    >>> loader = nn.data.DataLoader(test, batch_size=64, mean=(0.1307,), std=(0.3081,))
    >>> images, labels = next(iter(loader))
    >>> len(loader), images.shape, labels.shape
    (157, (64, 1, 28, 28), (64,))
    """

    def __init__(
        self,
        dataset: ImageDataset,
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
        channels = dataset.images.shape[1]
        self.mean = _one_per_channel("mean", mean, channels, 0.0)
        self.std = _one_per_channel("std", std, channels, 1.0)
        if not all(std > 0 for std in self.std):
            raise ValueError(f"DataLoader: expected std > 0, got {self.std}")
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

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = self.order(self.epoch)
        self.epoch += 1
        for batch in range(len(self)):
            indices = order[batch * self.batch_size : (batch + 1) * self.batch_size]
            images = gather_normalize.forward(self.dataset.images, indices, self.mean, self.std)
            yield Tensor(images), Tensor(self.dataset.labels[indices])


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
