"""Shuffling as a pure function of (seed, epoch)."""

import numpy as np


def shuffled(count: int, seed: int, epoch: int = 0) -> np.ndarray:
    """A random order of `count` samples, (count,) int64.

    Sorts random words of NumPy's Philox generator, whose stream NumPy never changes; that of
    `Generator.permutation` may differ between releases.

    >>> from nnet.data.order import shuffled
    >>> shuffled(5, seed=0)
    array([0, 2, 1, 4, 3])
    """
    words = np.random.Philox(key=[seed, epoch]).random_raw(count)
    return np.argsort(words, kind="stable")
