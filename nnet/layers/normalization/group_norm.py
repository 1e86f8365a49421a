"""Normalization within a sample: what is next to it in the batch makes no difference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ... import functional, init
from ...autograd.parameter import Parameter
from ...autograd.tensor import Tensor
from ...functional.normalization.group_norm import check_eps, shape_of
from ...module.module import Module

__all__ = ["LayerNorm", "RMSNorm", "GroupNorm"]


class LayerNorm(Module):
    """y = weight (x - mean) / sqrt(var + eps) + bias over the last dimensions of each sample.

    With g = weight dy and xhat the normalized x, dx = (g - mean(g) - xhat mean(g xhat)) /
    sqrt(var + eps): a shift or a stretch of the sample changes nothing. Training and use are the
    same, and so are batches of 1 and of 1000, which is why recurrent steps and transformers take
    it where batch normalization fails. Ba, Kiros & Hinton 2016.

    normalized_shape    sizes of the last dimensions, or one size
    eps                 added to the variance
    elementwise_affine  learn weight and, with `bias`, bias, both of normalized_shape; ones and
                        zeros at first

    Raises ValueError for inputs that do not end in normalized_shape, and unless eps > 0.

    >>> import nnet as nn
    >>> nn.LayerNorm(2)(nn.tensor([[1.0, 3.0]])).shape
    (1, 2)
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        super().__init__()
        check_eps("LayerNorm", eps)
        self.normalized_shape = shape_of(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self.weight, self.bias = _parameters(self.normalized_shape, elementwise_affine, bias, dtype)
        self.to(device)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Ones and zeros."""
        _reset(self)

    def forward(self, input: Tensor) -> Tensor:
        return functional.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """y = weight x / sqrt(mean(x^2) + eps): layer normalization without the mean and the bias.

    dx = (g - xhat mean(g xhat)) / sqrt(mean(x^2) + eps), g = weight dy: only a stretch of the
    sample changes nothing. Training and use are the same. Zhang & Sennrich 2019.

    normalized_shape    sizes of the last dimensions, or one size
    eps                 added to the mean square; the dtype's machine epsilon if None
    elementwise_affine  learn weight of normalized_shape, ones at first

    Raises ValueError for inputs that do not end in normalized_shape, and unless eps > 0.

    >>> import nnet as nn
    >>> nn.RMSNorm(2, elementwise_affine=False)(nn.tensor([[2.0, -2.0]]))
    tensor([[ 1., -1.]])
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        super().__init__()
        if eps is not None:
            check_eps("RMSNorm", eps)
        self.normalized_shape = shape_of(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self.weight, _ = _parameters(self.normalized_shape, elementwise_affine, False, dtype)
        self.to(device)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Ones."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        return functional.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


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
        self.weight, self.bias = _parameters((num_channels,), affine, bias, dtype)
        self.to(device)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Ones and zeros."""
        _reset(self)

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


def _parameters(
    shape: tuple[int, ...], affine: bool, bias: bool, dtype: npt.DTypeLike
) -> tuple[Parameter | None, Parameter | None]:
    """weight and bias, or None for what is not learned."""
    return (
        Parameter(np.empty(shape, dtype)) if affine else None,
        Parameter(np.empty(shape, dtype)) if affine and bias else None,
    )


def _reset(layer: LayerNorm | GroupNorm) -> None:
    if layer.weight is not None:
        init.ones_(layer.weight)
    if layer.bias is not None:
        init.zeros_(layer.bias)
