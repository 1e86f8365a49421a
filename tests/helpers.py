"""What the tests of several modules share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kernels.runtime import get_num_threads, set_num_threads


def rms(values: np.ndarray) -> float:
    """Root of the mean square, 0 for an empty array."""
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64)))) if values.size else 0.0


def assert_close(actual: Any, expected: Any, tolerance: float) -> None:
    """Same shape, all values finite, RMS error at most tolerance * max(1, rms(expected)).

    A mean over elements would forgive one wild element among many, the maximum would punish
    rounding in long arrays; the RMS does neither, and NaN is refused instead of compared.
    """
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"shape {actual.shape}, expected {expected.shape}"
    for name, values in (("actual", actual), ("expected", expected)):
        finite = np.isfinite(values)
        assert finite.all(), f"{np.sum(~finite)} of {values.size} {name} values are not finite"
    error = rms(actual.astype(np.float64) - expected.astype(np.float64))
    bound = tolerance * max(1.0, rms(expected))
    assert error <= bound, f"RMS error {error:.3e}, allowed {bound:.3e}"


def central_differences(
    function: Callable[[np.ndarray], float], point: np.ndarray, step: float = 1e-6
) -> np.ndarray:
    """Gradient of a scalar function at point, two evaluations an element, in float64."""
    gradient = np.empty(point.shape, np.float64)
    moved = point.astype(np.float64)
    for index in np.ndindex(point.shape):
        value = moved[index]
        moved[index] = value + step
        above = float(function(moved))
        moved[index] = value - step
        below = float(function(moved))
        moved[index] = value
        gradient[index] = (above - below) / (2 * step)
    return gradient


def nan_poisoned(shape: int | tuple[int, ...], dtype: Any) -> np.ndarray:
    """An output array that shows unwritten elements: NaN, or the least value of an integer."""
    dtype = np.dtype(dtype)
    poison = np.nan if dtype.kind == "f" else np.iinfo(dtype).min
    return np.full(shape, poison, dtype)


def read_only(array: np.ndarray) -> np.ndarray:
    """A copy that raises when written to."""
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def non_contiguous(array: np.ndarray) -> np.ndarray:
    """The same values, every other element of a larger array along each axis."""
    spaced = np.zeros(tuple(2 * size for size in array.shape), array.dtype)
    view = spaced[tuple(slice(None, None, 2) for _ in array.shape)]
    view[...] = array
    return view


def assert_same_bits(first: Any, second: Any) -> None:
    """Equal to the last bit: arrays, numbers and None, in nested sequences."""
    if isinstance(first, tuple | list):
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            assert_same_bits(one, other)
    elif first is None or second is None:
        assert first is second
    else:
        one, other = np.asarray(first), np.asarray(second)
        assert one.dtype == other.dtype and one.shape == other.shape
        assert one.tobytes() == other.tobytes(), f"{np.sum(one != other)} elements differ"


def assert_same_bits_on_threads(run: Callable[[], Any]) -> None:
    """run() returns the same bits on 1, 2 and 3 threads."""
    before = get_num_threads()
    results = []
    try:
        for number in (1, 2, 3):
            set_num_threads(number)
            results.append(run())
    finally:
        set_num_threads(before)
    for result in results[1:]:
        assert_same_bits(results[0], result)
