"""Learning rates of a training whose end is a number of steps, or a time."""

import math
from collections.abc import Callable

from . import Optimizer


class WarmCosine:
    """Up in a straight line for the first steps, down along half a cosine until the end.

    peak     highest rate
    share    steps done -> how much of the training is done, from 0 to 1
    warm_up  steps that rise, over which averages of gradients become what they will be
    last     the lowest rate, as a share of the highest

    >>> import nnet as nn
    >>> optimizer = nn.optim.SGD([nn.Parameter([1.0])], lr=1.0)
    >>> schedule = WarmCosine(optimizer, 2.0, lambda steps: steps / 100, warm_up=4)
    >>> optimizer.param_groups[0]["lr"]
    0.5
    """

    def __init__(
        self,
        optimizer: Optimizer,
        peak: float,
        share: Callable[[int], float],
        warm_up: int,
        last: float = 0.01,
    ) -> None:
        self._optimizer, self._peak, self._share = optimizer, peak, share
        self._warm_up, self._last = warm_up, last
        self._steps = 0
        self._apply()

    def step(self) -> None:
        """Tell that a step was made."""
        self._steps += 1
        self._apply()

    def _apply(self) -> None:
        rise = min(1.0, (self._steps + 1) / self._warm_up)
        fall = (1 + math.cos(math.pi * min(1.0, self._share(self._steps)))) / 2
        rate = self._peak * rise * (self._last + (1 - self._last) * fall)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
