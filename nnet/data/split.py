"""Hold samples back."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Protocol, Self, TypeVar

import numpy as np

from ..autograd.integers import is_integer
from .order import shuffled

__all__ = ["split"]


class Divisible(Protocol):
    """A data set, of images, series or pairs."""

    def __len__(self) -> int: ...

    def subset(self, indices: np.ndarray) -> Self: ...


D = TypeVar("D", bound=Divisible)


def split(dataset: D, parts: float | Sequence[int], seed: int = 0) -> tuple[D, ...]:
    """Divide a data set at random into disjoint parts that cover it.

    parts  the fraction to hold back, in (0, 1): two parts, the held-back one second;
           or the size of each part, which together are the whole
    seed   the same seed draws the same parts

    Raises ValueError for a fraction that leaves a part empty, or sizes that do not add up;
    TypeError for a single size, and for sizes that are no integers.

    >>> import nnet as nn
    >>> train, test = nn.data.mnist()
    >>> train, validation = nn.data.split(train, 0.1)
    >>> len(train), len(validation)
    (54000, 6000)
    """
    total = len(dataset)
    if isinstance(parts, float | np.floating):
        held_back = round(parts * total) if 0 < parts < 1 else 0
        if not 0 < held_back < total:
            raise ValueError(
                f"split: expected a fraction of {total} samples that leaves none of the two parts "
                f"empty, got {parts}"
            )
        sizes = [total - held_back, held_back]
    else:
        sizes = list(parts) if isinstance(parts, Iterable) else [None]
        if not all(map(is_integer, sizes)):
            raise TypeError(f"split: expected a fraction or the size of every part, got {parts!r}")
        if min(sizes, default=-1) < 0 or sum(sizes) != total:
            raise ValueError(f"split: expected sizes that add up to {total}, got {sizes}")
    order = shuffled(total, seed)
    bounds = np.cumsum([0, *sizes])
    return tuple(dataset.subset(np.sort(order[a:b])) for a, b in pairwise(bounds))
