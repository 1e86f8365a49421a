"""What every op asks of its arrays before a kernel runs."""

import numpy as np


def float_arrays(op: str, **arrays: np.ndarray) -> list[np.ndarray]:
    """The named arrays, C-contiguous and writeable, copied where they are not already.

    Numba would compile a kernel once more for a read-only or unaligned array.

    Raises TypeError unless all are NumPy arrays of one dtype, float32 or float64.
    """
    expected = None
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise TypeError(f"{op}: expected {name} to be a NumPy array, got {type(array)}")
        if array.dtype != np.float32 and array.dtype != np.float64:
            raise TypeError(f"{op}: expected {name} of float32 or float64, got {array.dtype}")
        if expected is None:
            expected = array.dtype
        elif array.dtype != expected:
            first = next(iter(arrays))
            raise TypeError(f"{op}: expected {name} of {expected} like {first}, got {array.dtype}")
    return [plain(array) for array in arrays.values()]


def plain(array: np.ndarray) -> np.ndarray:
    """The array itself if it is C-contiguous, aligned and writeable, else such a copy."""
    flags = array.flags
    if flags.c_contiguous and flags.aligned and flags.writeable:
        return array
    return array.copy(order="C")
