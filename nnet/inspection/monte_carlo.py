"""Averages over random passes of a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Real
from typing import Any

import numpy as np

from ..autograd.recording import no_grad
from ..autograd.results import record
from ..autograd.tensor import Tensor
from ..layers.dropout.dropout import RandomInTraining
from ..module.module import Module

__all__ = ["monte_carlo"]


def monte_carlo(model: Module, input: Any, k: int = 100) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of k passes with fresh masks, elementwise, not recorded.

    Dropout's networks averaged one by one, where use (weight scaling) takes one network for all;
    the spread tells how much they disagree. Layers that draw (Dropout and its kin, DropConnect,
    those with a number as their `dropout`) are in training mode meanwhile, all others in eval mode
    (BatchNorm learns nothing); then each has its own mode again. The deviation has k - 1 in the
    denominator, and is 0 for k = 1.

    Raises ValueError unless k >= 1. Srivastava et al. 2014, section 7.5; Gal & Ghahramani 2016.

    >>> import nnet as nn
    >>> model = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Dropout(), nn.Linear(64, 2))
    >>> mean, std = nn.monte_carlo(model, nn.ones(3, 4), k=50)
    >>> mean.shape, std.shape
    ((3, 2), (3, 2))
    """
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise ValueError(f"monte_carlo: expected k of at least 1, got {k!r}")
    with _drawing(model), no_grad():
        first = model(input).data
        mean = first.astype(np.float64)
        squares = np.zeros_like(mean)
        for passes in range(2, k + 1):  # Welford's update
            y = model(input).data
            step = y - mean
            mean += step / passes
            squares += step * (y - mean)
    std = np.sqrt(squares / max(k - 1, 1))
    return record(mean.astype(first.dtype), ()), record(std.astype(first.dtype), ())


@contextmanager
def _drawing(model: Module) -> Iterator[None]:
    modes = [(module, module.training) for module in model.modules()]
    for module, _ in modes:
        module.training = _draws(module)
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _draws(module: Module) -> bool:
    rate = getattr(module, "dropout", None)
    return isinstance(module, RandomInTraining) or (
        isinstance(rate, Real) and not isinstance(rate, bool)
    )
