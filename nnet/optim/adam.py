"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kernels import optimizer_step

from .buckets import Run
from .optimizer import Optimizer

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Adam: steps scaled by running averages of the gradient and its square.

    lr            step size
    betas         weight of the old average, of the gradient and of its square
    eps           added to the root of the averaged square
    weight_decay  times the parameter, added to the gradient

    Kingma & Ba 2015, algorithm 1.

    Raises ValueError for an option out of range.

    >>> import nnet as nn
    >>> w = nn.Parameter([1.0])
    >>> optimizer = nn.optim.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> round(w.item(), 4)
    0.9
    """

    STATE = ("exp_avg", "exp_avg_sq")
    DECOUPLED = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
        )

    def _check(self, group: dict[str, Any]) -> None:
        super()._check(group)
        self._check_range(group, "eps", 0.0, float("inf"))
        if not all(0 <= beta < 1 for beta in group["betas"]):
            raise ValueError(f"{self._name}: expected 0 <= betas < 1, got {group['betas']}")

    def _update(self, run: Run, group: dict[str, Any]) -> None:
        beta1, beta2 = group["betas"]
        optimizer_step.adam(
            run.values,
            run.gradient,
            run.state("exp_avg"),
            run.state("exp_avg_sq"),
            lr=group["lr"],
            beta1=beta1,
            beta2=beta2,
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            step=run.advance(),
            decoupled=self.DECOUPLED,
            maximize=group["maximize"],
        )


class AdamW(Adam):
    """Adam with the decay applied to the weights, not to the gradient: w -= lr * decay * w.

    Loshchilov & Hutter 2019.

    >>> import nnet as nn
    >>> w = nn.Parameter([1.0])
    >>> optimizer = nn.optim.AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> round(w.item(), 4)
    0.85
    """

    DECOUPLED = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, maximize=maximize)
