"""Batch renormalization: training and use see the same normalization, nearly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ... import functional
from ...autograd.tensor import Tensor
from .batch_norm import BatchNorm

__all__ = ["BatchRenorm1d", "BatchRenorm2d"]


class BatchRenorm(BatchNorm):
    """What the batch renormalizations share. Ioffe 2017.

    In training y = weight (xhat r + d) + bias, with xhat normalized by the batch,
    r = sigma_batch / sigma and d = (mu_batch - mu) / sigma, clipped to 1/r_max .. r_max and
    -d_max .. d_max: within the limits that is normalizing by the running averages, so small or
    uneven batches train what will be used. Gradients flow through xhat, r and d are constants.
    r_max = 1, d_max = 0 is batch normalization exactly. Use is as in batch normalization.

    The paper begins with r_max = 1, d_max = 0 and moves r_max to 3 by step 40000 and d_max to 5
    by step 25000, when the averages can be relied on; set the attributes to do so. It averages
    sigma, this layer the unbiased variance, so that batch normalization's weights load and stay
    exact.

    num_features, eps, affine, bias  as in `BatchNorm`
    momentum                         weight of the batch in the running averages, a number
    r_max, d_max                     the limits

    Raises ValueError for other shapes, one value a channel in training, and limits out of range.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.01,
        affine: bool = True,
        r_max: float = 3.0,
        d_max: float = 5.0,
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, True, device, dtype, bias=bias)
        self.r_max = r_max
        self.d_max = d_max

    def forward(
        self, input: Tensor, *, relu: bool = False, residual: Tensor | None = None
    ) -> Tensor:
        self._check(input, self.AXES, self.EXPECTED)
        assert self.running_mean is not None and self.running_var is not None
        averages = self.running_mean, self.running_var
        if self.training and not self.track_running_stats:  # the limits follow them, they stay
            averages = Tensor(averages[0].data.copy()), Tensor(averages[1].data.copy())
        output = functional.batch_renorm(
            input,
            *averages,
            self.weight,
            self.bias,
            self.training,
            self._weight_of_batch(),
            self.eps,
            self.r_max,
            self.d_max,
        )
        return self._finished(output, relu, residual)

    linear_forward = forward

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, r_max={self.r_max}, d_max={self.d_max}"
        )


class BatchRenorm1d(BatchRenorm):
    """Batch renormalization of (N, C) or (N, C, L); see `BatchRenorm`.

    >>> import nnet as nn
    >>> nn.BatchRenorm1d(3)(nn.rand(4, 3)).shape
    (4, 3)
    """

    AXES = (2, 3)
    EXPECTED = "(N, C) or (N, C, L)"


class BatchRenorm2d(BatchRenorm):
    """Batch renormalization of (N, C, H, W); see `BatchRenorm`.

    >>> import nnet as nn
    >>> nn.BatchRenorm2d(3)(nn.rand(4, 3, 5, 5)).shape
    (4, 3, 5, 5)
    """

    AXES = (4,)
    EXPECTED = "(N, C, H, W)"
