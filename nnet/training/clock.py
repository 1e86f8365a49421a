"""Time that a training may take."""

import time


class Clock:
    """Runs from its first use on.

    minutes  of the clock on the wall, all included: compiling, validation

    >>> clock = Clock(minutes=60.0)
    >>> clock.share < 0.1, clock.over
    (True, False)
    """

    def __init__(self, minutes: float) -> None:
        self._seconds = 60 * minutes
        self._start: float | None = None

    @property
    def share(self) -> float:
        """How much of the time is gone, from 0 to 1."""
        now = time.perf_counter()
        if self._start is None:
            self._start = now
        return min(1.0, (now - self._start) / self._seconds)

    @property
    def over(self) -> bool:
        return self.share >= 1
