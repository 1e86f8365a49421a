"""Series as images of one row, so that rows stay long and one kernel serves both."""

from __future__ import annotations

import numpy as np

from ..autograd.tensor import Tensor


def as_images(values: np.ndarray, axes: int) -> np.ndarray:
    """(N, C, H, W) of images or, with one axis, of series; the batch may be left out."""
    if values.ndim == 4:
        return values
    batch = values.shape if values.ndim == axes + 2 else (1, *values.shape)
    return values.reshape(*batch[:2], *row(batch[2:], 1))


def as_filters(weight: np.ndarray, axes: int) -> np.ndarray:
    """The weight for such images."""
    if axes == 2 or weight.ndim != 3:
        return weight
    return weight.reshape(*weight.shape[:2], *row(weight.shape[2:], 1))


def from_images(values: np.ndarray, axes: int, batched: bool) -> np.ndarray:
    """What was computed from images, of the axes that these had."""
    if batched and axes == 2:
        return values
    batch = values.shape[:2] if batched else values.shape[1:2]
    return values.reshape(*batch, *values.shape[4 - axes :])


def row(given: tuple[int, ...], vertical: int) -> tuple[int, int]:
    """(vertical, horizontal) of one size or two."""
    return (vertical, given[0]) if len(given) == 1 else (given[0], given[1])


def reshaped(gradient: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray | None:
    return None if gradient is None else gradient.reshape(shape)


def needed(input: Tensor, weight: Tensor, bias: Tensor | None) -> tuple[bool, bool, bool]:
    """Which of them need a gradient."""
    return input.requires_grad, weight.requires_grad, bias is not None and bias.requires_grad
