"""Shuffling as a pure function of (seed, epoch)."""

import numpy as np

from .. import random
from ..autograd.integers import seed_of


def seed_or_drawn(name: str, seed: int | None) -> int:
    """The seed that was given; one of the library's random numbers (`manual_seed`) if none was."""
    return random.next_seed() if seed is None else seed_of(name, "seed", seed)


def stream(seed: int, epoch: int, counter: int = 0) -> np.random.Philox:
    """Random words that follow from the two.

    Raises TypeError for what is no integer, ValueError for what is not in [0, 2^64).
    """
    key = seed_of("shuffled", "seed", seed), seed_of("shuffled", "epoch", epoch)
    # As a list the large ones would become floats.
    return np.random.Philox(key=np.array(key, np.uint64), counter=counter)


def shuffled(count: int, seed: int, epoch: int = 0) -> np.ndarray:
    """A random order of `count` samples, (count,) int64.

    Sorts random words of NumPy's Philox generator, whose stream NumPy never changes; that of
    `Generator.permutation` may differ between releases.

    >>> from nnet.data.order import shuffled
    >>> shuffled(5, seed=0)
    array([0, 2, 1, 4, 3])
    """
    return np.argsort(stream(seed, epoch).random_raw(count), kind="stable")
