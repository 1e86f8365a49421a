"""Learning rates of one rise and one fall."""

from __future__ import annotations

import math

from ...autograd.integers import check_integer
from ..optimizer import Optimizer
from .schedule import LRScheduler

__all__ = ["OneCycleLR"]


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

    >>> import nnet as nn
    >>> optimizer = nn.optim.SGD([nn.Parameter([1.0])], lr=1.0, momentum=0.9)
    >>> schedule = nn.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=4, pct_start=0.5)
    >>> rates = []
    >>> for batch in range(4):
    ...     rates.append(round(schedule.get_last_lr()[0], 4))
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [0.04, 1.0, 0.5, 0.0]
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
