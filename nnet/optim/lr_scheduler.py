"""Learning rates that follow the number of steps or epochs, in PyTorch's names."""

from __future__ import annotations

import copy
import math
from typing import Any

from ..autograd.integers import check_integer
from .optimizer import Optimizer


class LRScheduler:
    """Base class; a new schedule implements `get_lr`, for step number `last_epoch`.

    optimizer   whose rates are set; each group's first rate is kept there as "initial_lr"
    last_epoch  steps made before, where a schedule goes on with an optimizer whose state was loaded

    Call `step()` after the optimizer's, once a batch or once an epoch as the schedule means it.
    A step changes the rate that a group has then, whoever set it: schedules of one optimizer
    multiply, a rate set by hand stays, and so do groups added later.

    Raises TypeError for what is no optimizer, KeyError for a last_epoch of 0 or more with a group
    that has no "initial_lr".
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


class CosineAnnealingLR(LRScheduler):
    """From lr to eta_min along half a cosine, in T_max steps. Loshchilov & Hutter 2017.

    After T_max steps it rises again, and so on. A step multiplies what a rate is above eta_min.
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


class OneCycleLR(LRScheduler):
    """One rise to max_lr and one long fall, with momentum mirrored. Smith & Topin 2018.

    max_lr          the highest rate, one for all groups or a list
    total_steps     or epochs and steps_per_epoch
    pct_start       share of the steps that rise
    anneal_strategy "cos" or "linear"
    div_factor      the first rate is max_lr / div_factor
    final_div_factor  the last rate is the first / final_div_factor
    three_phase     fall to the first rate as long as it rose, then to the last

    It sets rates whatever they were; groups added later keep theirs.

    Raises ValueError for options out of range, and for a step after the last.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        for option, value in (
            ("total_steps", total_steps),
            ("epochs", epochs),
            ("steps_per_epoch", steps_per_epoch),
        ):
            if value is not None:
                check_integer("OneCycleLR", option, value, 1)
        if total_steps is None and epochs is not None and steps_per_epoch is not None:
            total_steps = epochs * steps_per_epoch
        if total_steps is None:
            raise ValueError(
                "OneCycleLR: expected total_steps >= 1, or epochs and steps_per_epoch, "
                f"got {total_steps}, {epochs} and {steps_per_epoch}"
            )
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: expected pct_start from 0 to 1, got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"OneCycleLR: expected anneal_strategy 'cos' or 'linear', got {anneal_strategy!r}"
            )
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"OneCycleLR: expected an optimizer, got {type(optimizer).__name__}")
        groups = optimizer.param_groups
        if cycle_momentum and not all("momentum" in g or "betas" in g for g in groups):
            raise ValueError("OneCycleLR: expected an optimizer with momentum or betas, got none")
        peaks = max_lr if isinstance(max_lr, list | tuple) else [max_lr] * len(groups)
        if len(peaks) != len(groups):
            raise ValueError(f"OneCycleLR: expected {len(groups)} rates, got {len(peaks)}")

        rise, end = pct_start * total_steps - 1, total_steps - 1
        # (last step, rate there, momentum there); "first", "peak" and "last" name the rates.
        if three_phase:
            fall = 2 * pct_start * total_steps - 2
            self.phases = [(rise, "peak", 0), (fall, "first", 1), (end, "last", 1)]
        else:
            self.phases = [(rise, "peak", 0), (end, "last", 1)]
        self.total_steps = total_steps
        self.anneal_strategy = anneal_strategy
        self.cycle_momentum = cycle_momentum
        self.momenta = base_momentum, max_momentum
        self.rates = [
            {
                "first": peak / div_factor,
                "peak": peak,
                "last": peak / div_factor / final_div_factor,
            }
            for peak in peaks
        ]
        if last_epoch == -1:
            for group, rates in zip(groups, self.rates, strict=True):
                group["initial_lr"] = rates["first"]
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch > self.total_steps:
            raise ValueError(
                f"OneCycleLR: expected at most {self.total_steps} steps, got step {self.last_epoch}"
            )
        start, before, momentum_before = 0.0, "first", 1
        for end, after, momentum_after in self.phases:
            if self.last_epoch <= end or after == "last":
                break
            start, before, momentum_before = end, after, momentum_after
        done = (self.last_epoch - start) / (end - start) if end != start else 1.0
        if self.cycle_momentum:
            self._set_momentum(
                self._between(self.momenta[momentum_before], self.momenta[momentum_after], done)
            )
        found = [self._between(rates[before], rates[after], done) for rates in self.rates]
        return found + self._rates()[len(found) :]

    def _between(self, start: float, end: float, done: float) -> float:
        if self.anneal_strategy == "linear":
            return start + (end - start) * done
        return end + (start - end) * (1 + math.cos(math.pi * done)) / 2

    def _set_momentum(self, momentum: float) -> None:
        for group in self.optimizer.param_groups:
            if "betas" in group:
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum
