"""Tensor methods that keep one triangle of each matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .integers import as_integer
from .operand import Operand, R

__all__ = ["tril", "triu"]


class Triangles(Operand[R]):
    """The last two axes are matrices; ValueError for fewer axes."""

    __slots__ = ()

    def tril(self, diagonal: int = 0) -> R:
        """The elements on and below a diagonal, above it 0.

        diagonal  0 for the main one, 1 for the one above it, -1 for the one below

        >>> import nnet as nn
        >>> nn.tril(nn.ones(3, 3))
        tensor([[1., 0., 0.],
                [1., 1., 0.],
                [1., 1., 1.]])
        """
        return _triangle("tril", self, diagonal, np.tril)

    def triu(self, diagonal: int = 0) -> R:
        """The elements on and above a diagonal, below it 0; as `tril`.

        >>> import nnet as nn
        >>> nn.triu(nn.ones(3, 3), diagonal=1)
        tensor([[0., 1., 1.],
                [0., 0., 1.],
                [0., 0., 0.]])
        """
        return _triangle("triu", self, diagonal, np.triu)


tril, triu = Triangles.tril, Triangles.triu


def _triangle(name: str, tensor: Operand[R], diagonal: Any, keep: Callable) -> R:
    k = as_integer(diagonal)
    if k is None:
        raise TypeError(f"{name}: expected diagonal as an integer, got {diagonal!r}")
    if tensor.data.ndim < 2:
        raise ValueError(f"{name}: expected at least 2 axes, got shape {tensor.data.shape}")
    return tensor._record(keep(tensor.data, k), (tensor,), lambda dy: keep(dy, k))
