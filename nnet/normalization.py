"""Batch normalization layers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import functional, init
from .functional.check import check_tensors
from .module import Module
from .parameter import Parameter
from .tensor import Tensor


class BatchNorm(Module):
    """What the batch normalizations share. Ioffe & Szegedy 2015.

    For each channel, over the m values that a batch has of it (all samples and positions),

        mean = sum x / m,   var = sum (x - mean)^2 / m,
        y = weight (x - mean) / sqrt(var + eps) + bias.

    The gradient flows through mean and var as well: it is what is left of dy without its mean and
    its part along the normalized x (kernels/batch_norm/README.md). Normalizing outside of the
    gradient does not work: the biases below grow for ever and the loss stays
    (examples/batch_norm_outside_backprop.py).

    In training an output depends on the other samples of its batch. In use it must not: then mean
    and var are running averages, moved in each training step by `momentum` towards the batch's
    mean and m / (m - 1) var; or, after training, `population_statistics`. `fold_batch_norm` makes
    it part of the layer below. That layer needs no bias: the mean would take it away
    (`dead_biases`).

    num_features         channels
    eps                  added to the variance, above 0
    momentum             weight of the batch in the running averages; None for plain averages
    affine               learn weight and, with `bias`, bias; (num_features,), ones and zeros first
    track_running_stats  keep running averages; without them the batch's are used always

    Raises ValueError for eps <= 0, for other shapes, and for one value a channel in training.
    """

    AXES: tuple[int, ...] = (2, 3, 4, 5)
    EXPECTED = "(N, C, ...)"

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if not eps > 0:
            raise ValueError(f"{type(self).__name__}: expected eps > 0, got {eps}")
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self.weight = Parameter(np.empty(num_features, dtype)) if affine else None
        self.bias = Parameter(np.empty(num_features, dtype)) if affine and bias else None
        self.running_mean: Tensor | None
        self.running_var: Tensor | None
        self.num_batches_tracked: Tensor | None
        for name, shape, kind in (
            ("running_mean", num_features, dtype),
            ("running_var", num_features, dtype),
            ("num_batches_tracked", (), np.int64),
        ):
            buffer = Tensor(np.empty(shape, kind)) if track_running_stats else None
            self.register_buffer(name, buffer)
        self.to(device)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget the batches seen."""
        if self.running_mean is not None and self.running_var is not None:
            assert self.num_batches_tracked is not None
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            self.num_batches_tracked.data.fill(0)

    def reset_parameters(self) -> None:
        """Ones and zeros, and no batches seen."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(
        self, input: Tensor, *, relu: bool = False, residual: Tensor | None = None
    ) -> Tensor:
        """Normalize; on request add `residual`, of input's shape, and rectify, in the same pass."""
        name = type(self).__name__
        check_tensors(name, input=input)
        if input.ndim not in self.AXES or input.shape[1] != self.num_features:
            raise ValueError(
                f"{name}: expected input of shape {self.EXPECTED} with {self.num_features} "
                f"channels, got {input.shape}"
            )
        seen = self.num_batches_tracked
        track = self.training and seen is not None
        momentum = self.momentum
        if momentum is None:
            momentum = 1 / (int(seen.data) + 1) if track and seen is not None else 0.0
        batch_statistics = self.training or self.running_mean is None
        keep = track or not batch_statistics
        output = functional.batch_norm(
            input,
            self.running_mean if keep else None,
            self.running_var if keep else None,
            self.weight,
            self.bias,
            batch_statistics,
            momentum,
            self.eps,
            relu=relu,
            residual=residual,
        )
        if track and seen is not None:
            seen.data += 1
        return output

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(BatchNorm):
    """Batch normalization of (N, C) or (N, C, L); see `BatchNorm`.

    >>> import nnet as nn
    >>> nn.BatchNorm1d(1, eps=1e-12)(nn.tensor([[1.0], [3.0]])).tolist()
    [[-1.0], [1.0]]
    """

    AXES = (2, 3)
    EXPECTED = "(N, C) or (N, C, L)"


class BatchNorm2d(BatchNorm):
    """Batch normalization of (N, C, H, W), one mean and variance a feature map; see `BatchNorm`.

    >>> import nnet as nn
    >>> nn.BatchNorm2d(8)(nn.ones(2, 8, 4, 4)).shape
    (2, 8, 4, 4)
    """

    AXES = (4,)
    EXPECTED = "(N, C, H, W)"


class BatchNorm3d(BatchNorm):
    """Batch normalization of (N, C, D, H, W), volumes or videos; see `BatchNorm`.

    >>> import nnet as nn
    >>> nn.BatchNorm3d(2)(nn.ones(2, 2, 3, 4, 4)).shape
    (2, 2, 3, 4, 4)
    """

    AXES = (5,)
    EXPECTED = "(N, C, D, H, W)"
