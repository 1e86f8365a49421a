"""What `fit` calls beside the callbacks that it is given."""

from collections.abc import Sequence
from typing import Any

from ..optim.clip_gradients import clip_grad_norm_
from .callback import Callback, Training
from .clock import Clock
from .diagnostics.guard import Guard
from .progress import Progress


class ClipGradients(Callback):
    """Shrinks the gradients before each step, see `clip_grad_norm_`.

    max_norm  greatest length of all gradients together

    Callbacks that stand before it see the gradients as they were, those behind it the shrunk ones.

    >>> import nnet as nn
    >>> model, batch = nn.Linear(2, 1), (nn.ones(4, 2), nn.zeros(4, 1))
    >>> clip = nn.training.ClipGradients(max_norm=0.5)
    >>> history = nn.fit(
    ...     model, [batch], epochs=1, optimizer=nn.optim.SGD(model.parameters(), lr=0.1),
    ...     loss=nn.functional.mse_loss, callbacks=[clip], progress=False,
    ... )
    >>> bool((model.weight.grad**2).sum() + (model.bias.grad**2).sum() < 0.2501)
    True
    """

    def __init__(self, max_norm: float) -> None:
        self.max_norm = max_norm

    def after_backward(self, training: Training) -> None:
        clip_grad_norm_(training.model.parameters(), self.max_norm)


class Scheduled(Callback):
    """Takes a scheduler's step after each "step" or "epoch"."""

    def __init__(self, scheduler: Any, every: str) -> None:
        self.scheduler = scheduler
        self.every = every

    def after_step(self, training: Training) -> None:
        if self.every == "step":
            self.scheduler.step()

    def after_epoch(self, training: Training) -> None:
        if self.every == "epoch":
            self.scheduler.step()


def with_defaults(
    callbacks: Sequence[Callback],
    *,
    scheduler: Any,
    scheduler_every: str,
    clip: float | None,
    clock: Clock | None,
    progress: bool,
) -> list[Callback]:
    """Those given, between what shall come first and what they shall come before.

    A `Guard` or `Progress` among them is taken in place of one by default.
    """
    found = list(callbacks)
    first: list[Callback] = []
    if not any(isinstance(each, Guard) for each in found):
        first.append(Guard())
    if scheduler is not None:
        first.append(Scheduled(scheduler, scheduler_every))
    if progress and not any(isinstance(each, Progress) for each in found):
        first.append(Progress())
    if clip is not None:
        found.append(ClipGradients(clip))
    if clock is not None:
        found.append(clock)
    return first + found
