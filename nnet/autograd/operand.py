"""What tensor methods know of a tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from .tape import Backward

# What the methods return: tensors.
R = TypeVar("R")


class Operand(Generic[R]):
    """What the groups of tensor methods stand on; `Tensor` fills it in."""

    __slots__ = ()

    data: np.ndarray
    requires_grad: bool
    _views: list[Any] | None

    @staticmethod
    def _record(y: Any, inputs: Sequence[Any], backward: Backward | None = None) -> R:
        raise NotImplementedError
