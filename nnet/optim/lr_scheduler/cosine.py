"""Learning rates that fall along a cosine."""

from __future__ import annotations

import math

from ...autograd.integers import check_integer
from ..optimizer import Optimizer
from .schedule import LRScheduler

__all__ = ["CosineAnnealingLR"]


class CosineAnnealingLR(LRScheduler):
    """From lr to eta_min along half a cosine, in T_max steps. Loshchilov & Hutter 2017.

    After T_max steps it rises again, and so on. A step multiplies what a rate is above eta_min.

    >>> import nnet as nn
    >>> optimizer = nn.optim.SGD([nn.Parameter([1.0])], lr=1.0)
    >>> schedule = nn.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
    >>> schedule.step()
    >>> round(optimizer.param_groups[0]["lr"], 6)
    0.5
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        check_integer("CosineAnnealingLR", "T_max", T_max, 1)
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self._is_initial:
            return self._rates()
        step, low = math.pi / self.T_max, self.eta_min
        before = 1 + math.cos(step * (self.last_epoch - 1))
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # from eta_min up again
            rise = (1 - math.cos(step)) / 2
            return [
                lr + (base - low) * rise
                for lr, base in zip(self._rates(), self.base_lrs, strict=True)
            ]
        factor = (1 + math.cos(step * self.last_epoch)) / before
        return [low + (lr - low) * factor for lr in self._rates()]
