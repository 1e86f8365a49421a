"""Checks that every op makes before it launches anything."""

import numpy as np

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def float_arrays(op: str, **arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    """The arrays, C-contiguous, after checking that all are float32 or all are float64.

    Raises TypeError naming the argument, what was expected and what came.
    """
    kind = None
    checked = []
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
        checked.append(array if array.flags.c_contiguous else np.ascontiguousarray(array))
    return tuple(checked)
