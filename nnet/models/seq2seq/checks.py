"""Checks of what `Seq2Seq` is given, before anything is computed."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autograd.integers import is_integer
from ...autograd.tensor import Tensor
from ...layers.attention.luong import SCORES
from ..cells import check_cell

ATTENTIONS = ("bahdanau", *SCORES)


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


def target_of(given: Any, size: int, batch_first: bool) -> np.ndarray:
    """Ids (T, N) of a target, as `ids_of`. Raises ValueError for less than two steps, too."""
    ids = ids_of("target", given, size, batch_first)
    if len(ids) < 2:
        raise ValueError(
            f"Seq2Seq: expected a target of at least two steps, begin and one more, got {len(ids)}"
        )
    return ids


def check_samples(source: np.ndarray, target: np.ndarray) -> None:
    """ValueError for ids (S, N) and (T, N) of different N."""
    if target.shape[1] != source.shape[1]:
        raise ValueError(
            f"Seq2Seq: expected as many targets as sources, got {target.shape[1]} "
            f"and {source.shape[1]}"
        )


def check_teacher_forcing(teacher_forcing: float) -> None:
    """ValueError for what is no probability."""
    if not 0 <= teacher_forcing <= 1:
        raise ValueError(f"Seq2Seq: expected teacher_forcing from 0 to 1, got {teacher_forcing}")


def check_whole(**given: Any) -> None:
    """TypeError for what is no integer, ValueError for what is below 1."""
    for name, value in given.items():
        if not is_integer(value):
            raise TypeError(f"Seq2Seq: expected {name} as an integer, got {value!r}")
        if value < 1:
            raise ValueError(f"Seq2Seq: expected {name} of at least 1, got {value}")


def check_attention(attention: str | None, local: int | None, input_feeding: bool | None) -> None:
    """ValueError for attentions that are not there, and options that do not fit them."""
    if attention is not None and attention not in ATTENTIONS:
        raise ValueError(
            f"Seq2Seq: expected attention None or one of {', '.join(ATTENTIONS)}, got {attention!r}"
        )
    if local is not None and attention not in SCORES:
        raise ValueError(f"Seq2Seq: expected local with Luong's attention, got {attention!r}")
    if input_feeding and attention is None:
        raise ValueError("Seq2Seq: expected an attention for input_feeding=True, got None")
    if input_feeding is False and attention == "bahdanau":
        raise ValueError(
            "Seq2Seq: expected input_feeding to be left to 'bahdanau', where the context is part "
            "of the input; 'concat' has the same score without"
        )


def check_options(cell: str, hidden_size: int, bidirectional: bool, dropout: float) -> None:
    """ValueError for the first that is out of range."""
    check_cell(cell)
    if bidirectional and hidden_size % 2:
        raise ValueError(
            f"Seq2Seq: expected an even hidden_size for two directions, got {hidden_size}"
        )
    if not 0 <= dropout <= 1:
        raise ValueError(f"Seq2Seq: expected dropout from 0 to 1, got {dropout}")


def check_ids(size: int, **ids: int) -> None:
    """TypeError for what is no integer, ValueError for an id outside the vocabulary."""
    for name, id in ids.items():
        if not is_integer(id):
            raise TypeError(f"Seq2Seq: expected {name} as an integer, got {id!r}")
        if not 0 <= id < size:
            raise ValueError(f"Seq2Seq: expected {name} from 0 to {size - 1}, got {id}")
