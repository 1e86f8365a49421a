"""What was written to in place, and when, so that `backward` notices a value that was spoiled.

Each write through the library is noted with its memory and a number from the counter that also
numbers the tape's nodes. A node that is older than a write to memory which its closure holds can
no longer compute its gradient. Recording costs nothing so, and `backward` looks only at nodes
that are older than the last write.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from sys import getrefcount
from typing import Any

import numpy as np

from .closures import held_by, maker_of
from .memory import Intervals, bounds_of

next_serial = itertools.count().__next__

# Notes from which those that later ones cover are removed; then the oldest are forgotten.
_TIDY, _MOST = 1 << 10, 1 << 16


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
        written, kept = Intervals(), []
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
        self._written = Intervals()

    def check(self, serial: int, backward: Callable) -> None:
        """Raise RuntimeError if what `backward` holds was written to after `serial`.

        Calls come in falling order of serial, as nodes are walked.
        """
        while self._notes and self._notes[-1][0] > serial:
            self._written.add(*self._notes.pop()[1:])
        for each in held_by(backward):
            if isinstance(each, np.ndarray):
                spoiled = self._written.meet(*bounds_of(each))
            else:
                spoiled = getattr(each, "_moved", -1) > serial
            if spoiled:
                raise RuntimeError(
                    f"backward: expected what {maker_of(backward)} kept for its gradient as it "
                    f"was, but an array of shape {each.shape} was written to since, by an "
                    "operation in place or a step of an optimizer; compute the result anew after "
                    "it, or write to a clone()"
                )
