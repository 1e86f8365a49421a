"""Time that a training may take."""

import time

from .callback import Callback, StopTraining, Training


class Clock(Callback):
    """Runs from when it is made; as a callback it ends the training after the step when it is over.

    minutes  of the clock on the wall, all included: compiling, validation

    >>> clock = Clock(minutes=60.0)
    >>> clock.share < 0.1, clock.over
    (True, False)
    """

    def __init__(self, minutes: float) -> None:
        self._seconds = 60 * minutes
        self._start = time.perf_counter()

    @property
    def share(self) -> float:
        """How much of the time is gone, from 0 to 1."""
        return min(1.0, (time.perf_counter() - self._start) / self._seconds)

    @property
    def over(self) -> bool:
        return self.share >= 1

    def after_step(self, training: Training) -> None:
        if self.over:
            raise StopTraining("the time is over")
