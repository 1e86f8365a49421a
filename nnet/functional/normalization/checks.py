"""Checks that normalizations share."""

from __future__ import annotations

import numpy as np

from ...autograd.tensor import Tensor
from ..check import number


def check_eps(op: str, eps: float) -> None:
    if not number(op, "eps", eps) > 0:
        raise ValueError(f"{op}: expected eps > 0, got {eps}")


def check_shapes(
    op: str, shape: tuple[int, ...], x: np.ndarray, **arguments: Tensor | None
) -> None:
    for name, values in arguments.items():
        if values is not None and values.data.shape != shape:
            raise ValueError(
                f"{op}: expected {name} of shape {shape} for input {x.shape}, "
                f"got {values.data.shape}"
            )


def needs_of(input: Tensor, *parameters: Tensor | None) -> tuple[bool, bool, bool]:
    """Which of input, weight and bias need a gradient."""
    of_weight, of_bias = (each is not None and each.requires_grad for each in parameters)
    return input.requires_grad, of_weight, of_bias
