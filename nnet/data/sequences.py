"""Sequences of different lengths, padded to one array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..autograd.results import record
from ..autograd.tensor import Tensor

__all__ = ["pad_sequence"]


def pad_sequence(
    sequences: Sequence[Tensor | np.ndarray],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """One tensor of sequences, as long as the longest: (T, N, ...), or (N, T, ...) if batch_first.

    sequences      N tensors or arrays (length, ...) of one dtype, alike but in their length
    padding_value  what fills the rest
    padding_side   "right", behind the shorter ones, or "left", before them

    The gradient of a sequence is that of its part. Raises TypeError for what is no list of tensors
    of one dtype, ValueError for none, for other axes that differ and for another side.

    >>> import nnet as nn
    >>> nn.pad_sequence([nn.tensor([1, 2, 3]), nn.tensor([4])], batch_first=True)
    tensor([[1, 2, 3],
            [4, 0, 0]])
    """
    if isinstance(sequences, Tensor) or not isinstance(sequences, Sequence):
        raise TypeError(f"pad_sequence: expected a list of tensors, got {type(sequences).__name__}")
    if padding_side not in ("right", "left"):
        raise ValueError(
            f"pad_sequence: expected padding_side 'right' or 'left', got {padding_side!r}"
        )
    for sequence in sequences:
        if not isinstance(sequence, Tensor | np.ndarray):
            raise TypeError(f"pad_sequence: expected tensors, got {type(sequence).__name__}")
    tensors = [one if isinstance(one, Tensor) else Tensor(one) for one in sequences]
    y, places = _padded([one.data for one in tensors], batch_first, padding_value, padding_side)
    return record(y, tensors, lambda dy: [dy[place] for place in places])


def _padded(
    arrays: Sequence[np.ndarray], batch_first: bool, value: float, side: str
) -> tuple[np.ndarray, list[tuple]]:
    if not arrays:
        raise ValueError("pad_sequence: expected at least one sequence, got none")
    first = arrays[0]
    for index, array in enumerate(arrays):
        if array.dtype != first.dtype:
            raise TypeError(
                f"pad_sequence: expected sequences of {first.dtype} like the first, "
                f"got {array.dtype} at {index}"
            )
        if not array.ndim or array.shape[1:] != first.shape[1:]:
            wanted = ", ".join(["length", *map(str, first.shape[1:])])
            raise ValueError(
                f"pad_sequence: expected sequences of shape ({wanted}), "
                f"got {array.shape} at {index}"
            )
    if first.dtype.kind in "iu" and not float(value).is_integer():
        raise ValueError(f"pad_sequence: expected a padding_value of {first.dtype}, got {value!r}")
    longest = max(map(len, arrays))
    outer = (len(arrays), longest) if batch_first else (longest, len(arrays))
    padded = np.full(outer + first.shape[1:], value, first.dtype)
    places = []
    for index, array in enumerate(arrays):
        steps = slice(len(array)) if side == "right" else slice(longest - len(array), None)
        places.append((index, steps) if batch_first else (steps, index))
        padded[places[-1]] = array
    return padded, places
