"""Learning rates that fall in steps."""

from __future__ import annotations

from ...autograd.integers import check_integer
from ..optimizer import Optimizer
from .schedule import LRScheduler

__all__ = ["StepLR"]


class StepLR(LRScheduler):
    """Times gamma every step_size steps: lr * gamma^(epoch // step_size).

    >>> import nnet as nn
    >>> optimizer = nn.optim.SGD([nn.Parameter([1.0])], lr=1.0)
    >>> schedule = nn.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    >>> schedule.step()
    >>> optimizer.param_groups[0]["lr"]
    0.5
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        check_integer("StepLR", "step_size", step_size, 1)
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        due = self.last_epoch > 0 and self.last_epoch % self.step_size == 0
        return [lr * self.gamma for lr in self._rates()] if due else self._rates()
