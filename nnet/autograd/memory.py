"""Intervals of memory: where an array lies, and what several of them cover."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import numpy as np
from numpy.lib.array_utils import byte_bounds


def bounds_of(array: np.ndarray) -> tuple[int, int]:
    """The first byte's address, and that behind the last byte."""
    if array.flags.forc:
        low = array.ctypes.data
        return low, low + array.nbytes
    return byte_bounds(array)


class Intervals:
    """Disjoint intervals of memory, in order."""

    def __init__(self) -> None:
        self._lows: list[int] = []
        self._highs: list[int] = []

    def add(self, low: int, high: int) -> list[tuple[int, int]]:
        """Join an interval in; what of it was not there before."""
        lows, highs = self._lows, self._highs
        first, last = bisect_left(highs, low), bisect_right(lows, high)
        new, at = [], low
        for i in range(first, last):
            if at < lows[i]:
                new.append((at, lows[i]))
            at = max(at, highs[i])
        if at < high:
            new.append((at, high))
        if first < last:
            low, high = min(low, lows[first]), max(high, highs[last - 1])
        lows[first:last] = [low]
        highs[first:last] = [high]
        return new

    def meet(self, low: int, high: int) -> bool:
        """Whether one of them overlaps with low to high."""
        at = bisect_right(self._highs, low)
        return at < len(self._lows) and self._lows[at] < high
