"""Batch normalization of means alone, which goes with weight normalization."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ... import functional, init
from ...autograd.parameter import Parameter
from ...autograd.tensor import Tensor
from ...functional.check import check_tensors
from ...module.module import Module

__all__ = ["MeanOnlyBatchNorm"]


class MeanOnlyBatchNorm(Module):
    """y = x - mean + bias, mean over the batch and all positions of a channel.

    Weight normalization fixes the scale of activations and leaves their mean to drift; this
    centres them, at less noise than full batch normalization. dx = dy - mean(dy). In use the
    running average takes the place of the batch's mean. Salimans & Kingma 2016, section 4.

    num_features         channels of inputs (N, C) or (N, C, ...)
    momentum             weight of the batch in the running average
    affine               learn bias, (num_features,), zeros at first
    track_running_stats  keep a running average; without it the batch's mean is used always

    Raises ValueError for other shapes, and for one value a channel in training.

    >>> import nnet as nn
    >>> nn.MeanOnlyBatchNorm(1)(nn.tensor([[1.0], [5.0]])).tolist()
    [[-2.0], [2.0]]
    """

    def __init__(
        self,
        num_features: int,
        momentum: float = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self.bias = Parameter(np.zeros(num_features, dtype)) if affine else None
        mean = Tensor(np.zeros(num_features, dtype)) if track_running_stats else None
        self.running_mean: Tensor | None
        self.register_buffer("running_mean", mean)
        self.to(device)

    def reset_parameters(self) -> None:
        """Zeros, and no batches seen."""
        for each in (self.bias, self.running_mean):
            if each is not None:
                init.zeros_(each)

    def forward(self, input: Tensor) -> Tensor:
        check_tensors("MeanOnlyBatchNorm", input=input)
        if not 2 <= input.ndim <= 5 or input.shape[1] != self.num_features:
            raise ValueError(
                f"MeanOnlyBatchNorm: expected input of shape (N, {self.num_features}, ...), "
                f"got {input.shape}"
            )
        of_batch = self.training or self.running_mean is None
        kept = None if self.training and not self.track_running_stats else self.running_mean
        return functional.mean_only_batch_norm(input, kept, self.bias, of_batch, self.momentum)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )
