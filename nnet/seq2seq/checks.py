"""Checks of what a model of two sequences is given, before anything is computed."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensor import Tensor


def ids_of(name: str, given: Any, size: int, batch_first: bool) -> np.ndarray:
    """Ids (T, N) int64 from a tensor, an array or lists; (N, T) if `batch_first`.

    Raises TypeError for what is no integer; ValueError for another number of axes, for no step,
    and for an id outside the vocabulary, which is named with its place in what was given.
    """
    ids = np.asarray(given.data if isinstance(given, Tensor) else given)
    if ids.dtype.kind not in "iu" and ids.size:
        raise TypeError(f"Seq2Seq: expected {name} of integers, got {ids.dtype}")
    shape = "(N, T)" if batch_first else "(T, N)"
    if ids.ndim != 2 or not ids.shape[1 if batch_first else 0]:
        raise ValueError(
            f"Seq2Seq: expected {name} of shape {shape} with at least one step, got {ids.shape}"
        )
    wrong = np.argwhere((ids < 0) | (ids >= size))
    if wrong.size:
        place = tuple(int(i) for i in wrong[0])
        raise ValueError(
            f"Seq2Seq: expected {name} ids from 0 to {size - 1}, got {ids[place]} at {place}"
        )
    ids = ids.astype(np.int64, copy=False)
    return ids.T if batch_first else ids


def check_whole(**given: Any) -> None:
    """TypeError for what is no integer, ValueError for what is below 1."""
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise TypeError(f"Seq2Seq: expected {name} as an integer, got {value!r}")
        if value < 1:
            raise ValueError(f"Seq2Seq: expected {name} of at least 1, got {value}")
