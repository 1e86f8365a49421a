"""The weight and bias that stand behind a normalization."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from ... import init
from ...autograd.parameter import Parameter


class Affine(Protocol):
    """A layer with them, None for what is not learned."""

    weight: Parameter | None
    bias: Parameter | None


def affine_parameters(
    shape: tuple[int, ...], affine: bool, bias: bool, dtype: npt.DTypeLike
) -> tuple[Parameter | None, Parameter | None]:
    """weight and bias, or None for what is not learned."""
    return (
        Parameter(np.empty(shape, dtype)) if affine else None,
        Parameter(np.empty(shape, dtype)) if affine and bias else None,
    )


def reset_affine(layer: Affine) -> None:
    """Ones and zeros."""
    if layer.weight is not None:
        init.ones_(layer.weight)
    if layer.bias is not None:
        init.zeros_(layer.bias)
