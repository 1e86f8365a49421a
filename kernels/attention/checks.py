"""What is checked before attention runs, and how its arrays are laid out for the kernels."""

import math

import numpy as np

from kernels._check import FLOATS


def float_rows(op: str, **arrays: np.ndarray) -> list[np.ndarray]:
    """The arrays as four axes (N, H, L, E), views where rows are contiguous, else copies.

    The first axis is the batch, the last two are kept, all between them are heads.
    """
    kind = None
    found = []
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise TypeError(
                f"{op}: expected {name} to be a NumPy array, got {type(array).__name__}"
            )
        if array.dtype not in FLOATS:
            raise TypeError(f"{op}: expected {name} of float32 or float64, got {array.dtype}")
        if kind is not None and array.dtype != kind:
            raise TypeError(f"{op}: expected {name} of {kind} like the rest, got {array.dtype}")
        kind = array.dtype
        if array.ndim < 2:
            raise ValueError(f"{op}: expected {name} of at least 2 axes, got shape {array.shape}")
        found.append(_rows(array))
    return found


def _rows(array: np.ndarray) -> np.ndarray:
    return four_axes(array if lies_well(array) else array.copy(order="C"))


def lies_well(array: np.ndarray) -> bool:
    """Whether a kernel can work on the array as it lies: rows are contiguous, steps whole."""
    item = array.itemsize
    return (
        array.strides[-1] == item
        and all(step >= 0 and step % item == 0 for step in array.strides)
        and array.flags.behaved
    )


def four_axes(array: np.ndarray) -> np.ndarray:
    """(N, H, L, E) from (L, E), (N, L, E) or (N, ..., L, E)."""
    if array.ndim == 4:
        return array
    if array.ndim < 4:
        return array[None, None] if array.ndim == 2 else array[:, None]
    heads = math.prod(array.shape[1:-2])
    return array.reshape(len(array), heads, *array.shape[-2:])


def check_shapes(op: str, query: np.ndarray, key: np.ndarray, value: np.ndarray) -> None:
    """ValueError unless they are (..., L, E), (..., S, E) and (..., S, Ev) with E >= 1."""
    *leading, _, depth = query.shape
    if depth == 0:
        raise ValueError(f"{op}: expected query (..., L, E) with E >= 1, got {query.shape}")
    if key.shape != (*leading, key.shape[-2], depth):
        wanted = ", ".join(map(str, (*leading, "S", depth)))
        raise ValueError(f"{op}: expected key of shape ({wanted}), got {key.shape}")
    if value.shape != (*leading, key.shape[-2], value.shape[-1]):
        wanted = ", ".join(map(str, (*leading, key.shape[-2], "Ev")))
        raise ValueError(f"{op}: expected value of shape ({wanted}), got {value.shape}")


def additive_mask(
    op: str, mask: np.ndarray | None, shape: tuple[int, ...], dtype: np.dtype
) -> np.ndarray:
    """The mask as (N, H, L, S), not larger in memory than it is; empty if there is none.

    Of booleans, True becomes 0 and False -inf.
    """
    if mask is None:
        return np.empty((0, 0, 0, 0), dtype)
    if not isinstance(mask, np.ndarray):
        raise TypeError(f"{op}: expected mask to be a NumPy array, got {type(mask).__name__}")
    if mask.dtype == bool:
        mask = np.where(mask, dtype.type(0), dtype.type(-np.inf))
    elif mask.dtype != dtype:
        raise TypeError(f"{op}: expected mask of bool or {dtype}, got {mask.dtype}")
    try:
        lines = np.array(np.broadcast_to(mask, (*mask.shape[:-1], shape[-1])), order="C")
        strides = np.broadcast_to(lines, shape).strides
    except ValueError:
        raise ValueError(
            f"{op}: expected mask of a shape that broadcasts to {shape}, got {mask.shape}"
        ) from None
    # Not NumPy's own view, which is read-only, for which kernels would be compiled again.
    return four_axes(np.lib.stride_tricks.as_strided(lines, shape, strides))


def lengths_of(op: str, key_lengths: np.ndarray | None, batch: int, keys: int) -> np.ndarray:
    """(N,) int64, all of the keys where nothing is given."""
    if key_lengths is None:
        return np.full(batch, keys, np.int64)
    lengths = np.asarray(key_lengths)
    if lengths.dtype.kind not in "iu":
        raise TypeError(f"{op}: expected key_lengths of integers, got {lengths.dtype}")
    if lengths.shape != (batch,):
        raise ValueError(f"{op}: expected key_lengths of shape ({batch},), got {lengths.shape}")
    if batch and not (0 <= lengths.min() and lengths.max() <= keys):
        raise ValueError(
            f"{op}: expected key_lengths from 0 to {keys}, got {lengths.min()} to {lengths.max()}"
        )
    return lengths.astype(np.int64)
