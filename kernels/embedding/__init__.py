"""Rows of a table, looked up by id: y = weight[ids], for ids of any shape.

The gradient of a row is the sum of the gradients at its positions, and zero where its id is not
among them. Positions are grouped by id, so the sum is in a fixed order without one thread waiting
for another.
"""

from typing import NamedTuple

import numpy as np

from kernels import _memory
from kernels._check import check_in_place, check_like, check_shape, float_arrays, plain
from kernels._device import Implementations, device_of
from kernels._jit import jit
from kernels.embedding import cpu, reference

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)


class Saved(NamedTuple):
    """The ids as (P,) int64, the table's shape and dtype, and whose gradient is how large."""

    ids: np.ndarray
    y_shape: tuple[int, ...]
    weight_shape: tuple[int, int]
    dtype: np.dtype
    padding_idx: int | None
    scale_grad_by_freq: bool


def forward(
    ids: np.ndarray,
    weight: np.ndarray,
    padding_idx: int | None = None,
    scale_grad_by_freq: bool = False,
) -> tuple[np.ndarray, Saved]:
    """Return the rows of the table, (..., D).

    ids                 any shape, int64 or int32, each in [0, V)
    weight              (V, D) float32 or float64
    padding_idx         a row that gets no gradient
    scale_grad_by_freq  divide the gradient of a row by how often its id is there

    Raises TypeError for other dtypes; ValueError for other shapes, an id outside the vocabulary,
    named with its position, and a padding_idx that is no row.

    >>> import numpy as np
    >>> from kernels import embedding
    >>> weight = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    >>> y, saved = embedding.forward(np.array([2, 0, 2]), weight)
    >>> y[:, 1], embedding.backward(np.ones((3, 2)), saved)[:, 0]
    (array([5., 1., 5.]), array([1., 0., 2.]))
    """
    (weight,) = float_arrays("embedding", weight=weight)
    flat, shape = _checked(ids, weight)
    vocabulary, size = weight.shape
    if padding_idx is not None and not 0 <= padding_idx < vocabulary:
        raise ValueError(
            f"embedding: expected padding_idx from 0 to {vocabulary - 1}, got {padding_idx}"
        )
    y = _memory.empty((flat.size, size), weight.dtype)
    if y.size:
        IMPLEMENTATIONS[device_of(weight)].forward(flat, weight, y)
    shape = (*shape, size)
    saved = Saved(flat, shape, weight.shape, weight.dtype, padding_idx, scale_grad_by_freq)
    return y.reshape(shape), saved


def backward(dy: np.ndarray, saved: Saved, out: np.ndarray | None = None) -> np.ndarray:
    """Return dweight (V, D), zero where an id was not looked up.

    out  an array of its shape and dtype to write it to, C-contiguous
    """
    (dy,) = float_arrays("embedding", dy=dy)
    if dy.dtype != saved.dtype:
        raise TypeError(f"embedding: expected dy of {saved.dtype} like weight, got {dy.dtype}")
    check_shape("embedding", "dy", dy, saved.y_shape)
    ids, (vocabulary, size) = saved.ids, saved.weight_shape
    # They may have been overwritten since, and now decide where is written.
    _check_range(ids, ids.shape, vocabulary)
    dweight = _memory.empty(saved.weight_shape, saved.dtype) if out is None else out
    check_like("embedding", "out", dweight, saved.weight_shape, saved.dtype)
    check_in_place("embedding", "out", dweight)
    if dweight.size:
        implementation = IMPLEMENTATIONS[device_of(dy)]
        implementation.backward(
            dy=dy.reshape(ids.size, size),
            ids=ids,
            padding_idx=-1 if saved.padding_idx is None else int(saved.padding_idx),
            by_frequency=bool(saved.scale_grad_by_freq),
            **_memory.scratch(implementation.backward_scratch(ids)),
            out_dweight=dweight,
        )
    return dweight


def renormalize(
    ids: np.ndarray, weight: np.ndarray, max_norm: float, norm_type: float = 2.0
) -> None:
    """Shrink in place those rows among the ids that are longer than max_norm.

    w <- w max_norm / (|w| + 1e-7), |w| the norm of order norm_type, which may be inf

    Raises what `forward` raises; ValueError for a max_norm that is negative or NaN, a norm_type
    not above 0, and an array that cannot be updated in place.

    >>> import numpy as np
    >>> from kernels import embedding
    >>> weight = np.array([[3.0, 4.0], [30.0, 40.0]])
    >>> embedding.renormalize(np.array([0]), weight, 1.0)
    >>> weight.round(3)
    array([[ 0.6,  0.8],
           [30. , 40. ]])
    """
    float_arrays("embedding", weight=weight)
    if not max_norm >= 0:
        raise ValueError(f"embedding: expected max_norm of at least 0, got {max_norm}")
    if not norm_type > 0:
        raise ValueError(f"embedding: expected norm_type above 0, got {norm_type}")
    check_in_place("embedding", "weight", weight)
    flat, _ = _checked(ids, weight)
    if flat.size and weight.size:
        implementation = IMPLEMENTATIONS[device_of(weight)]
        implementation.renormalize(
            ids=flat,
            max_norm=float(max_norm),
            norm_type=float(norm_type),
            **_memory.scratch(implementation.renormalize_scratch(flat)),
            inout_weight=weight,
        )


def _checked(ids: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
    """The ids as plain (P,) int64, and their shape."""
    if not isinstance(ids, np.ndarray) or ids.dtype.kind != "i" or ids.dtype.itemsize < 4:
        got = ids.dtype if isinstance(ids, np.ndarray) else type(ids).__name__
        raise TypeError(f"embedding: expected ids to be an array of int64 or int32, got {got}")
    if weight.ndim != 2:
        raise ValueError(f"embedding: expected weight of shape (V, D), got {weight.shape}")
    flat = plain(ids.astype(np.int64, copy=False)).reshape(-1)
    _check_range(flat, ids.shape, len(weight))
    return flat, ids.shape


def _check_range(ids: np.ndarray, shape: tuple[int, ...], vocabulary: int) -> None:
    wrong = _first_outside(ids, vocabulary)
    if wrong >= 0:
        index = tuple(int(i) for i in np.unravel_index(wrong, shape)) if shape else ()
        where = f" at position {index[0] if len(index) == 1 else index}" if index else ""
        raise ValueError(
            f"embedding: expected ids from 0 to {vocabulary - 1} for a vocabulary of {vocabulary}, "
            f"got {ids[wrong]}{where}"
        )


@jit
def _first_outside(ids, vocabulary):
    """Where the first id is that is not in [0, vocabulary), or -1."""
    # One of id and last - id is negative then, which no bit but the sign need show.
    signs, last = 0, vocabulary - 1
    for position in range(ids.size):
        signs |= ids[position] | (last - ids[position])
    if signs < 0:
        for position in range(ids.size):
            if not 0 <= ids[position] < vocabulary:
                return position
    return -1
