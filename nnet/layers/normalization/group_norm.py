"""Normalization of groups of a sample's channels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ... import functional
from ...autograd.tensor import Tensor
from ...functional.normalization.checks import check_eps
from ...module.module import Module
from .affine import affine_parameters, reset_affine

__all__ = ["GroupNorm"]


class GroupNorm(Module):
    """Mean and variance of each of num_groups groups of a sample's channels, all positions.

    y = weight (x - mean) / sqrt(var + eps) + bias, weight and bias a channel. One group is layer
    normalization, a group a channel instance normalization; between them channels that belong
    together share statistics, and accuracy does not fall with the batch as batch normalization's
    does. The gradient is LayerNorm's, a group at a time. Training and use are the same.
    Wu & He 2018.

    num_groups, num_channels  the first divides the second
    eps                       added to the variance
    affine                    learn weight and, with `bias`, bias, (num_channels,); ones and zeros

    Raises ValueError for num_groups that does not divide num_channels, other inputs than
    (N, num_channels, ...), one value a group in a batch of one, and unless eps > 0.

    >>> import nnet as nn
    >>> nn.GroupNorm(4, 8)(nn.ones(2, 8, 5, 5)).shape
    (2, 8, 5, 5)
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        check_eps("GroupNorm", eps)
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: expected num_groups to divide {num_channels} channels, "
                f"got {num_groups}"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self.weight, self.bias = affine_parameters((num_channels,), affine, bias, dtype)
        self.to(device)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Ones and zeros."""
        reset_affine(self)

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim < 2 or input.shape[1] != self.num_channels:
            raise ValueError(
                f"GroupNorm: expected input of shape (N, {self.num_channels}, ...), "
                f"got {input.shape}"
            )
        return functional.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )
