"""The batch's part in a mixture of statistics: its own in training, else running averages."""

from __future__ import annotations

import math

import numpy as np

from ...autograd.broadcasting import quiet
from ...autograd.tensor import Tensor
from ..check import check_statistics, check_tensors
from .averages import move_average
from .checks import check_eps


def batch_statistics(mean: Tensor, var: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of all samples' planes of a channel, from each plane's."""
    batch_mean = mean.mean(0)
    return batch_mean, (var + (mean - batch_mean) ** 2).mean(0)


def running_statistics(
    op: str, mean: Tensor | None, var: Tensor | None, training: bool
) -> tuple[Tensor, Tensor] | None:
    """The running statistics as they are used outside training."""
    if training:
        return None
    if mean is None or var is None:
        raise ValueError(f"{op}: expected running_mean and running_var outside training, got None")
    return Tensor(mean.data.astype(np.float64)), Tensor(var.data.astype(np.float64))


def track(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    mean: np.ndarray,
    var: np.ndarray,
    momentum: float,
) -> None:
    """Move the running averages towards the batch's mean and unbiased variance, if it has any."""
    if not input.numel():
        return
    with quiet():
        count = input.numel() // input.shape[1]
        batch_var = (var.mean(0) + mean.var(0)) * (count / (count - 1))
        move_average(running_mean, mean.mean(0), momentum)
        move_average(running_var, batch_var, momentum)


def check_mixture(
    op: str,
    input: Tensor,
    eps: float,
    parameters: dict[str, Tensor | None],
    running_mean: Tensor | None,
    running_var: Tensor | None,
) -> None:
    check_tensors(op, input=input, **parameters)
    check_statistics(op, running_mean, running_var)
    check_eps(op, eps)
    shape = input.shape
    if not 3 <= len(shape) <= 5 or math.prod(shape[2:]) < 2:
        raise ValueError(
            f"{op}: expected input of shape (N, C, ...) with more than one value an instance, "
            f"got {shape}"
        )
    for name, values in {
        **parameters,
        "running_mean": running_mean,
        "running_var": running_var,
    }.items():
        if values is not None and values.shape != shape[1:2]:
            raise ValueError(
                f"{op}: expected {name} of shape {shape[1:2]} for input {shape}, got {values.shape}"
            )
