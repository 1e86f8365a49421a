"""What loaders have in common: epochs of batches, in an order that follows from (seed, epoch)."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from ..autograd.integers import is_integer, size_of
from .order import seed_or_drawn, shuffled


class Dataset(Protocol):
    """How many samples there are, and some of them as a batch: mostly a tuple of tensors."""

    def __len__(self) -> int: ...

    def batch(self, indices: np.ndarray) -> Any: ...


class Epochs:
    """Batches, anew each time that they are asked for.

    `batches(epoch)` says what each batch of an epoch is of, `load` makes the batch of it. `epoch`
    counts the iterations and may be set to repeat one.
    """

    epoch = 0

    def batches(self, epoch: int) -> Sequence[Any]:
        raise NotImplementedError

    def load(self, chosen: Any) -> Any:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Any]:
        batches = self.batches(self.epoch)
        self.epoch += 1
        for chosen in batches:
            yield self.load(chosen)


class Samples(Epochs):
    """Batches of samples of a data set, all of them or a share; see `DataLoader`."""

    def __init__(
        self,
        dataset: Any,
        batch_size: int,
        shuffle: bool,
        seed: int | None,
        drop_last: bool,
        transform: Callable[[Any], Any] | None,
        share: tuple[int, int] | None,
    ) -> None:
        name = type(self).__name__
        if not hasattr(dataset, "__len__"):
            got = type(dataset).__name__
            raise TypeError(f"{name}: expected a data set, which has a length, got {got}")
        if transform is not None and not callable(transform):
            raise TypeError(f"{name}: expected transform as a function, got {transform!r}")
        if shuffle and seed is None and share is not None:
            raise ValueError(f"{name}: expected a seed, so that all shares are of one order")
        self.dataset = dataset
        self.batch_size = size_of(name, "batch_size", batch_size)
        self.shuffle = shuffle
        self.seed = seed if seed is None and not shuffle else seed_or_drawn(name, seed)
        self.drop_last = drop_last
        self.transform = transform
        self.share = (0, 1) if share is None else _checked(name, share)
        _, size = self.share
        if not drop_last and len(dataset) // size < len(self):
            raise ValueError(
                f"{name}: expected a sample for each of {len(self)} batches in each of {size} "
                f"shares, or drop_last, got {len(dataset)} samples"
            )

    @property
    def _most(self) -> int:
        """Samples of an epoch in a share; a share may have one less where none are dropped."""
        _, size = self.share
        return (len(self.dataset) + (0 if self.drop_last else size - 1)) // size

    def __len__(self) -> int:
        full, rest = divmod(self._most, self.batch_size)
        return full + (rest > 0 and not self.drop_last)

    def order(self, epoch: int) -> np.ndarray:
        """The samples in the order of that epoch, those of this share alone."""
        rank, size = self.share
        return self._whole_order(epoch)[rank::size][: self._most]

    def _whole_order(self, epoch: int) -> np.ndarray:
        if not self.shuffle:
            return np.arange(len(self.dataset))
        assert self.seed is not None
        return shuffled(len(self.dataset), self.seed, epoch)

    def batches(self, epoch: int) -> list[np.ndarray]:
        """The samples of each batch of that epoch."""
        return cut(self.order(epoch), self.batch_size, len(self))

    def load(self, chosen: np.ndarray) -> Any:
        batch = self.batch(chosen)
        return batch if self.transform is None else self.transform(batch)

    def batch(self, indices: np.ndarray) -> Any:
        """Those samples, as the data set gives them."""
        return self.dataset.batch(indices)


def edges(count: int, batch_size: int, batches: int) -> np.ndarray:
    """Where so many batches of `count` samples begin, and where the last one ends.

    All are full but for the last, or for those last ones that would be empty otherwise; what is
    beyond full ones is left out.

    >>> from nnet.data.batches import edges
    >>> edges(7, 3, 3), edges(7, 3, 2), edges(6, 3, 3)
    (array([0, 3, 6, 7]), array([0, 3, 6]), array([0, 3, 5, 6]))
    """
    numbers = np.arange(batches + 1)
    return np.minimum(numbers * batch_size, count - numbers[::-1])


def cut(order: np.ndarray, batch_size: int, batches: int) -> list[np.ndarray]:
    """Samples in their order, in so many batches, see `edges`."""
    return [order[start:stop] for start, stop in pairwise(edges(len(order), batch_size, batches))]


def _checked(name: str, share: tuple[int, int]) -> tuple[int, int]:
    if not isinstance(share, tuple | list) or len(share) != 2 or not all(map(is_integer, share)):
        raise TypeError(f"{name}: expected share as (rank, size), got {share!r}")
    rank, size = map(int, share)
    if not 0 <= rank < size:
        raise ValueError(f"{name}: expected a share with 0 <= rank < size, got {share!r}")
    return rank, size
