"""Instance normalization: each channel of each sample for itself."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt

from ... import functional
from ...autograd.tensor import Tensor
from ...functional.check import check_tensors
from .running_averages import RunningAverages

__all__ = ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]


class InstanceNorm(RunningAverages):
    """What the instance normalizations share. Ulyanov, Vedaldi & Lempitsky 2016.

    y = weight (x - mean) / sqrt(var + eps) + bias, mean and var over the positions of one channel
    of one sample: its contrast and brightness are removed, which style transfer asks for. The
    gradient is LayerNorm's, a channel at a time. Training and use are the same, unless running
    averages are tracked: then use normalizes by them.

    num_features         channels
    eps                  added to the variance
    momentum             weight of the batch in the running averages; None keeps them as they are
    affine               learn weight and, with `bias`, bias; (num_features,), ones and zeros first
    track_running_stats  keep running averages of the instances' means and unbiased variances

    Raises ValueError for other shapes, for one value an instance, and unless eps > 0.
    """

    AXES = 0
    EXPECTED = ""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
        *,
        bias: bool = True,
    ) -> None:
        common = eps, momentum, affine, track_running_stats, device, dtype
        super().__init__(num_features, *common, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        name = type(self).__name__
        check_tensors(name, input=input)
        if input.ndim not in (self.AXES - 1, self.AXES):
            raise ValueError(
                f"{name}: expected input of shape {self.EXPECTED}, or without N, got {input.shape}"
            )
        channels = input.shape[1 - self.AXES]
        if channels != self.num_features:
            said = f"{name}: expected {self.num_features} channels, got {input.shape}"
            if self.affine or self.track_running_stats:
                raise ValueError(said)
            warnings.warn(f"{said}; normalized all the same", stacklevel=2)
        if input.ndim < self.AXES:
            return self._normalize(input.unsqueeze(0)).squeeze(0)
        return self._normalize(input)

    def _normalize(self, input: Tensor) -> Tensor:
        return functional.instance_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )


class InstanceNorm1d(InstanceNorm):
    """Instance normalization of (N, C, L) or (C, L); see `InstanceNorm`.

    >>> import nnet as nn
    >>> nn.InstanceNorm1d(2)(nn.ones(3, 2, 5)).shape
    (3, 2, 5)
    """

    AXES = 3
    EXPECTED = "(N, C, L)"


class InstanceNorm2d(InstanceNorm):
    """Instance normalization of (N, C, H, W) or (C, H, W); see `InstanceNorm`.

    >>> import nnet as nn
    >>> nn.InstanceNorm2d(2)(nn.ones(3, 2, 5, 4)).shape
    (3, 2, 5, 4)
    """

    AXES = 4
    EXPECTED = "(N, C, H, W)"


class InstanceNorm3d(InstanceNorm):
    """Instance normalization of (N, C, D, H, W) or (C, D, H, W); see `InstanceNorm`.

    >>> import nnet as nn
    >>> nn.InstanceNorm3d(2)(nn.ones(2, 3, 5, 4)).shape
    (2, 3, 5, 4)
    """

    AXES = 5
    EXPECTED = "(N, C, D, H, W)"
