"""What was written to in place, and when, so that `backward` notices a value that was spoiled.

Each write through the library is noted with its memory and a number from the counter that also
numbers the tape's nodes. A node that is older than a write to memory which its closure holds can
no longer compute its gradient. Recording costs nothing so, and `backward` looks only at nodes
that are older than the last write.
"""

from __future__ import annotations

import functools
import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from sys import getrefcount
from types import FunctionType, MethodType
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

next_serial = itertools.count().__next__

# Notes from which those that later ones cover are removed; then the oldest are forgotten.
_TIDY, _MOST = 1 << 10, 1 << 16


class _Intervals:
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


class _Log:
    """Notes (serial, low, high) in the order of writing; `latest` is the last serial."""

    __slots__ = ("latest", "limit", "notes")

    def __init__(self) -> None:
        self.latest = -1
        self.limit = _TIDY
        self.notes: list[tuple[int, int, int]] = []

    def add(self, low: int, high: int) -> None:
        serial, notes = next_serial(), self.notes
        if notes and notes[-1][1] == low and notes[-1][2] == high:
            notes[-1] = serial, low, high
        else:
            notes.append((serial, low, high))
        if serial > self.latest:
            self.latest = serial
        if len(notes) > self.limit:
            self._tidy(len(notes))

    def _tidy(self, count: int) -> None:
        """Keep of the first `count` notes what was not written to again behind them.

        An assignment to a slice, like an append, is one step for other threads.
        """
        written, kept = _Intervals(), []
        for serial, low, high in reversed(self.notes[:count]):
            kept += [(serial, *part) for part in written.add(low, high)]
        self.notes[:count] = kept[: _MOST // 2][::-1]
        self.limit = max(_TIDY, 2 * len(self.notes))


log = _Log()


def wrote(array: np.ndarray) -> None:
    """Note that the array's memory was written to just now."""
    if array.size:
        log.add(*bounds_of(array))


def wrote_average(tensor: Any) -> None:
    """Note a write to a tensor that layers go on averaging in, if somebody else holds its array.

    Without that no operation can have kept it; and noting it in every step of training would make
    `backward` look at every node.
    """
    if getrefcount(tensor.data) > 2:
        wrote(tensor.data)


class Since:
    """The memory written since a time that moves backwards, for checks of node after node."""

    def __init__(self) -> None:
        self.latest = log.latest
        self._notes = list(log.notes)
        self._written = _Intervals()

    def check(self, serial: int, backward: Callable) -> None:
        """Raise RuntimeError if what `backward` holds was written to after `serial`.

        Calls come in falling order of serial, as nodes are walked.
        """
        while self._notes and self._notes[-1][0] > serial:
            self._written.add(*self._notes.pop()[1:])
        for each in _held(backward):
            if isinstance(each, np.ndarray):
                spoiled = self._written.meet(*bounds_of(each))
            else:
                spoiled = getattr(each, "_moved", -1) > serial
            if spoiled:
                raise RuntimeError(
                    f"backward: expected what {_name(backward)} kept for its gradient as it was, "
                    f"but an array of shape {each.shape} was written to since, by an operation in "
                    "place or a step of an optimizer; compute the result anew after it, or write "
                    "to a clone()"
                )


def _name(function: Callable) -> str:
    """Of a closure, the name of the function that made it."""
    if isinstance(function, functools.partial):
        function = function.func
    return (
        getattr(function, "__qualname__", "an operation").rsplit(".<locals>", 1)[0].split(".")[-1]
    )


def bounds_of(array: np.ndarray) -> tuple[int, int]:
    """The first byte's address, and that behind the last byte."""
    if array.flags.forc:
        low = array.ctypes.data
        return low, low + array.nbytes
    return byte_bounds(array)


def _held(function: Callable) -> Iterator[Any]:
    """The arrays and tensors that a closure refers to, in tuples, lists and dicts as well.

    Of a variable `saved` beside one called `needs` only what `saved.needed(needs)` says, if it can.
    Not the tensor of a bound method: that may ask it for other things than its values.
    """
    waiting: list[Any] = [function]
    seen = set()
    while waiting:
        each = waiting.pop()
        kind = type(each)
        if kind is np.ndarray:
            if each.size:
                yield each
        elif isinstance(each, tuple | list):
            waiting += each
        elif id(each) in seen:
            continue
        elif kind is FunctionType:
            seen.add(id(each))
            cells = zip(each.__code__.co_freevars, each.__closure__ or (), strict=True)
            held = {name: cell.cell_contents for name, cell in cells if _is_set(cell)}
            if "needs" in held and hasattr(held.get("saved"), "needed"):
                held["saved"] = held["saved"].needed(held["needs"])
            waiting += held.values()
            waiting += each.__defaults__ or ()
        elif kind is functools.partial:
            waiting += (each.func, each.args, each.keywords)
        elif kind is MethodType and not _is_tensor(each.__self__):
            waiting += (each.__func__, each.__self__)
        elif kind is dict:
            seen.add(id(each))
            waiting += each.values()
        elif isinstance(each, np.ndarray):
            yield each.view(np.ndarray)
        elif _is_tensor(each):
            yield each
            yield each.data


def _is_tensor(value: Any) -> bool:
    return isinstance(getattr(value, "data", None), np.ndarray)


def _is_set(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True
