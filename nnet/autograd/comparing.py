"""Tensor methods that compare two whole tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from .broadcasting import quiet
from .operand import Operand, R

__all__ = ["allclose", "equal"]


class Comparing(Operand[R]):
    """Both operands are tensors; TypeError if not."""

    __slots__ = ()

    def allclose(
        self, other: Operand, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
    ) -> bool:
        """Whether |x - other| <= atol + rtol |other| everywhere; infinities equal themselves.

        equal_nan  whether NaN does, too

        Raises TypeError for two dtypes, ValueError for shapes that do not broadcast and for a
        tolerance below 0.

        >>> import nnet as nn
        >>> nn.allclose(nn.tensor([1.0, 2.0]), nn.tensor([1.0, 2.000001]))
        True
        """
        x, y = _both("allclose", self, other)
        if x.dtype != y.dtype:
            raise TypeError(f"allclose: expected one dtype, got {x.dtype} and {y.dtype}")
        for name, value in (("rtol", rtol), ("atol", atol)):
            if not value >= 0:
                raise ValueError(f"allclose: expected {name} of at least 0, got {value}")
        try:
            with quiet():
                return bool(np.isclose(x, y, rtol, atol, equal_nan).all())
        except ValueError:
            raise ValueError(
                f"allclose: expected shapes that broadcast, got {x.shape} and {y.shape}"
            ) from None

    def equal(self, other: Operand) -> bool:
        """Whether shapes and all elements are equal; NaN equals nothing.

        >>> import nnet as nn
        >>> nn.equal(nn.tensor([1.0, 2.0]), nn.tensor([[1.0, 2.0]]))
        False
        """
        return np.array_equal(*_both("equal", self, other))


allclose, equal = Comparing.allclose, Comparing.equal


def _both(op: str, tensor: Operand, other: Any) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(other, Operand):
        raise TypeError(f"{op}: expected two tensors, got {type(other).__name__}")
    return tensor.data, other.data
