"""What schedules of learning rates share."""

from __future__ import annotations

import copy
from typing import Any

from ...autograd.integers import check_integer
from ..optimizer import Optimizer

__all__ = ["LRScheduler"]


class LRScheduler:
    """Base class; a new schedule implements `get_lr`, for step number `last_epoch`.

    optimizer   whose rates are set; each group's first rate is kept there as "initial_lr"
    last_epoch  steps made before, where a schedule goes on with an optimizer whose state was loaded

    Call `step()` after the optimizer's, once a batch or once an epoch as the schedule means it.
    A step changes the rate that a group has then, whoever set it: schedules of one optimizer
    multiply, a rate set by hand stays, and so do groups added later.

    Raises TypeError for what is no optimizer, KeyError for a last_epoch of 0 or more with a group
    that has no "initial_lr".

    >>> import nnet as nn
    >>> class InverseRoot(nn.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [base / (self.last_epoch + 1) ** 0.5 for base in self.base_lrs]
    >>> optimizer = nn.optim.SGD([nn.Parameter([1.0])], lr=1.0)
    >>> schedule = InverseRoot(optimizer)
    >>> for epoch in range(3):
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        name = type(self).__name__
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{name}: expected an optimizer, got {type(optimizer).__name__}")
        check_integer(name, "last_epoch", last_epoch, -1)
        for number, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{name}: expected initial_lr in group {number} of an optimizer that goes on "
                    f"from last_epoch {last_epoch}, got none; load its state first"
                )
        self.optimizer = optimizer
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    def get_lr(self) -> list[float]:
        """The rate of each group now."""
        raise NotImplementedError

    def get_last_lr(self) -> list[float]:
        """The rates that this schedule set last."""
        return self._last_lr

    def step(self) -> None:
        """Go to the next number and set the rates."""
        groups = self.optimizer.param_groups
        for group in groups[len(self.base_lrs) :]:
            self.base_lrs.append(group.setdefault("initial_lr", group["lr"]))
        self._step_count += 1
        self.last_epoch += 1
        for group, lr in zip(groups, self.get_lr(), strict=True):
            group["lr"] = lr
        self._last_lr = self._rates()

    def _rates(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` goes on from; the rates are the optimizer's own state."""
        state = {key: value for key, value in vars(self).items() if key != "optimizer"}
        return copy.deepcopy(state)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned; load the optimizer's state too.

        An optimizer that is still at its first rate gets the last rate as well.
        """
        vars(self).update(copy.deepcopy(dict(state_dict)))
        for group, lr in zip(self.optimizer.param_groups, self._last_lr, strict=False):
            if group["lr"] == group.get("initial_lr"):
                group["lr"] = lr
