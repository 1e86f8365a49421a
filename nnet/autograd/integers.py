"""Numbers that count: they are integers, or there is an error before anything is done."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np


def is_integer(value: Any) -> bool:
    """Python's or NumPy's; True and False are none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def as_integer(value: Any) -> int | None:
    """Python's integer of anything that is one, as a tensor of one; None else, and for a bool."""
    try:
        return None if isinstance(value, bool) else index(value)
    except TypeError:
        return None


def check_integer(name: str, option: str, value: Any, least: int) -> None:
    """TypeError for what is no integer, ValueError for one below `least`."""
    if not is_integer(value):
        raise TypeError(f"{name}: expected {option} as an integer, got {value!r}")
    if value < least:
        raise ValueError(f"{name}: expected {option} >= {least}, got {value}")


def size_of(name: str, option: str, value: Any) -> int:
    """Python's integer; ValueError for anything but an integer of at least 1."""
    if not is_integer(value) or value < 1:
        raise ValueError(f"{name}: expected {option} of at least 1, got {value!r}")
    return int(value)


def seed_of(name: str, option: str, value: Any) -> int:
    """Python's integer; TypeError for what is none, ValueError for what is not in [0, 2^64)."""
    if not is_integer(value):
        raise TypeError(f"{name}: expected an integer {option}, got {value!r}")
    if not 0 <= value < 2**64:
        raise ValueError(f"{name}: expected 0 <= {option} < 2^64, got {value}")
    return int(value)


def as_indices(name: str, given: Any, count: int) -> np.ndarray:
    """Which of `count` samples are meant, (n,) int64 from 0 on; as NumPy takes indices.

    given  integers, negative ones from the end; or (count,) bool, True for those to take

    Raises TypeError for anything else, ValueError for more axes than one, IndexError for an index
    out of range and for a mask of another length.

    >>> from nnet.autograd.integers import as_indices
    >>> as_indices("subset", [True, False, True], 3), as_indices("subset", [-1, 0], 3)
    (array([0, 2]), array([2, 0]))
    """
    indices = np.asarray(given)
    if not indices.size and indices.dtype == np.float64 and indices.ndim == 1:
        indices = indices.astype(np.int64)  # NumPy's dtype of an empty list
    if indices.dtype.kind not in "iub":
        raise TypeError(f"{name}: expected indices as integers or bool, got {indices.dtype}")
    if indices.ndim != 1:
        raise ValueError(f"{name}: expected indices of one axis, got shape {indices.shape}")
    if indices.dtype.kind == "b":
        if len(indices) != count:
            raise IndexError(f"{name}: expected a mask of {count} samples, got {len(indices)}")
        return np.flatnonzero(indices)
    wrong = np.flatnonzero((indices < -count) | (indices >= count))
    if wrong.size:
        raise IndexError(
            f"{name}: expected indices from {-count} to {count - 1}, got {indices[wrong[0]]}"
        )
    indices = indices.astype(np.int64)
    return np.where(indices < 0, indices + count, indices)
