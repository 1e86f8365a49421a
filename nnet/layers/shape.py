"""Layers that only change the shape, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import functional
from ..autograd.tensor import Tensor
from ..module.module import Module

__all__ = ["Flatten", "Unflatten", "Identity"]


class Flatten(Module):
    """Join the axes from start_dim to end_dim into one; by default all but the batch.

    >>> import nnet as nn
    >>> nn.Flatten()(nn.ones(2, 3, 4)).shape
    (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        return functional.flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Split the axis `dim` into several.

    >>> import nnet as nn
    >>> nn.Unflatten(1, (3, 4))(nn.ones(2, 12)).shape
    (2, 3, 4)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        self.dim = dim
        self.unflattened_size = tuple(unflattened_size)

    def forward(self, input: Tensor) -> Tensor:
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class Identity(Module):
    """What comes in; any arguments are taken.

    >>> import nnet as nn
    >>> nn.Identity()(nn.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input
