"""Planes that are normalized by lines, which follow from the statistics of all planes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from kernels import group_norm as planes

from ...autograd.recording import enable_grad, no_grad
from ...autograd.results import record
from ...autograd.tensor import Tensor

# What normalizes: mean, var and head (N, C) and the parameters give scale and offset (N, C).
Line = Callable[..., tuple[Tensor, Tensor]]


def by_lines(
    input: Tensor, line: Line, parameters: Sequence[Tensor | None]
) -> tuple[Tensor, np.ndarray, np.ndarray]:
    """Apply to each plane (sample, channel) a line that follows from the statistics of all.

    Two passes over the data, as in batch normalization. What lies between is algebra on (N, C)
    numbers in float64, whose gradient the tape finds; it is run again in backward.
    """
    x = input.data
    if not x.size:
        return _of_nothing(input, parameters)
    mean, var = planes.plane_moments(x)
    head = mean.astype(x.dtype).astype(np.float64)

    def algebra(requires_grad: bool) -> tuple[list[Tensor | None], Tensor, Tensor]:
        given = mean, var, *(None if each is None else each.data for each in parameters)
        leaves = [
            None if each is None else Tensor(each.astype(np.float64), requires_grad)
            for each in given
        ]
        return leaves, *line(*leaves[:2], Tensor(head), *leaves[2:])

    with no_grad():
        _, scale, offset = algebra(False)
    slope = scale.data
    y = planes.lines(x, head, slope, offset.data)

    def backward(dy: np.ndarray) -> list[np.ndarray | None]:
        total, product = planes.plane_sums(dy, x, head)
        with enable_grad():
            leaves, scale, offset = algebra(True)
            (scale * Tensor(product) + offset * Tensor(total)).sum().backward()
        gradients = [
            None if each is None or each.grad is None else each.grad.data for each in leaves
        ]
        dmean, dvar = (np.zeros_like(mean) if each is None else each for each in gradients[:2])
        # d var / d x = 2 (x - mean) / S, d mean / d x = 1 / S
        positions = math.prod(x.shape[2:])
        slant = 2 * dvar / positions
        level = dmean / positions + slant * (head - mean)
        dx = planes.gradient_lines(dy, x, head, slope, slant, level)
        return [dx, *(None if g is None else g.astype(x.dtype) for g in gradients[2:])]

    return record(y, (input, *parameters), backward), mean, var


def _of_nothing(
    input: Tensor, parameters: Sequence[Tensor | None]
) -> tuple[Tensor, np.ndarray, np.ndarray]:
    nothing = np.empty(input.shape[:2])

    def backward(dy: np.ndarray) -> list[np.ndarray | None]:
        return [dy, *(None if each is None else np.zeros_like(each.data) for each in parameters)]

    return record(input.data.copy(), (input, *parameters), backward), nothing, nothing


def affine_line(
    scale: Tensor, offset: Tensor, weight: Tensor | None, bias: Tensor | None
) -> tuple[Tensor, Tensor]:
    if weight is not None:
        scale, offset = scale * weight, offset * weight
    return scale, offset if bias is None else offset + bias
