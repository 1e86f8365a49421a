"""Checks that every op makes before it launches anything."""

from typing import Any

import numpy as np

FLOAT32, FLOAT64 = FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def float_arrays(op: str, **arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    """The arrays made `plain`, after checking that all are float32 or all are float64.

    Raises TypeError naming the argument, what was expected and what came.
    """
    kind = None
    checked = []
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise TypeError(
                f"{op}: expected {name} to be a NumPy array, got {type(array).__name__}"
            )
        dtype = array.dtype
        # The usual dtypes are the same two objects; asking whether they are equal takes longer.
        if dtype is not kind or kind is None:
            if dtype is not FLOAT32 and dtype is not FLOAT64 and dtype not in FLOATS:
                raise TypeError(f"{op}: expected {name} of float32 or float64, got {dtype}")
            if kind is not None and dtype != kind:
                raise TypeError(f"{op}: expected {name} of {kind} like the rest, got {dtype}")
            kind = dtype
        checked.append(array if array.flags.carray else array.copy(order="C"))
    return tuple(checked)


def float_arrays_or_none(
    op: str, required: dict[str, np.ndarray], **optional: np.ndarray | None
) -> tuple[Any, ...]:
    """`float_arrays` of both, where those that are optional may be None, and stay so."""
    given = required | {name: array for name, array in optional.items() if array is not None}
    checked = dict(zip(given, float_arrays(op, **given), strict=True))
    return tuple(checked.get(name) for name in (*required, *optional))


def check_shape(op: str, name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    """Raises ValueError for another shape."""
    if array.shape != shape:
        raise ValueError(f"{op}: expected {name} of shape {shape}, got {array.shape}")


def check_like(
    op: str, name: str, array: np.ndarray, shape: tuple[int, ...], dtype: np.dtype
) -> None:
    """Raises ValueError for another shape or dtype."""
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(
            f"{op}: expected {name} of shape {shape} and {dtype}, "
            f"got {array.shape} and {array.dtype}"
        )


def check_in_place(op: str, name: str, array: np.ndarray) -> None:
    """Raises ValueError for an array that a kernel cannot write to where it is."""
    if not array.flags.carray:
        raise ValueError(
            f"{op}: expected {name}, which is written in place, to be contiguous, aligned and "
            "writeable"
        )


def check_pair(op: str, name: str, pair: tuple[int, int], least: int) -> None:
    """Raises ValueError unless it is a tuple of two integers that are no less."""
    if isinstance(pair, tuple) and len(pair) == 2:
        first, second = pair
        if isinstance(first, int) and isinstance(second, int) and first >= least <= second:
            return
    raise ValueError(f"{op}: expected {name} as two integers >= {least}, got {pair}")


def word(op: str, name: str, value: int) -> np.uint64:
    """A seed, or a stream of random numbers. Raises ValueError unless it is one of 64 bits."""
    if not isinstance(value, int | np.integer) or not 0 <= value < 2**64:
        raise ValueError(f"{op}: expected {name} from 0 to 2^64 - 1, got {value!r}")
    return np.uint64(value)


def plain(array: np.ndarray) -> np.ndarray:
    """The array itself if it is C-contiguous, aligned and writeable, else such a copy.

    Numba would compile a kernel again for a read-only or an unaligned array.
    """
    return array if array.flags.carray else array.copy(order="C")
