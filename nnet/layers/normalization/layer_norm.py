"""Normalization over the last dimensions of a sample: of layers, and by root mean square."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ... import functional, init
from ...autograd.tensor import Tensor
from ...functional.normalization.checks import check_eps
from ...functional.normalization.layer_norm import shape_of
from ...module.module import Module
from .affine import affine_parameters, reset_affine

__all__ = ["LayerNorm", "RMSNorm"]


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
        self.weight, self.bias = affine_parameters(
            self.normalized_shape, elementwise_affine, bias, dtype
        )
        self.to(device)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Ones and zeros."""
        reset_affine(self)

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
        self.weight, _ = affine_parameters(self.normalized_shape, elementwise_affine, False, dtype)
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
