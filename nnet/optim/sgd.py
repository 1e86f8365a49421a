"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kernels import optimizer_step

from .buckets import Run
from .optimizer import Optimizer

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent with momentum, plain or Nesterov's, in PyTorch's form.

    g = gradient + weight_decay * w; v = momentum * v + (1 - dampening) * g, v = g at first;
    w -= lr * (g + momentum * v if nesterov else v). Sutskever et al. 2013.

    Raises ValueError for a negative option, or nesterov without momentum or with dampening.

    >>> import nnet as nn
    >>> w = nn.Parameter([1.0])
    >>> optimizer = nn.optim.SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    array([0.8], dtype=float32)
    """

    STATE = ("momentum_buffer",)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
            },
        )

    def _check(self, group: dict[str, Any]) -> None:
        super()._check(group)
        self._check_range(group, "momentum", 0.0, float("inf"))
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError(
                "SGD: expected momentum > 0 and dampening 0 with nesterov, "
                f"got momentum {group['momentum']} and dampening {group['dampening']}"
            )

    def _update(self, run: Run, group: dict[str, Any]) -> None:
        momentum = group["momentum"]
        optimizer_step.sgd(
            run.values,
            run.gradient,
            run.state("momentum_buffer") if momentum else None,
            lr=group["lr"],
            momentum=momentum,
            dampening=group["dampening"],
            weight_decay=group["weight_decay"],
            nesterov=group["nesterov"],
            first_step=momentum != 0 and run.advance() == 1,
            maximize=group["maximize"],
        )
