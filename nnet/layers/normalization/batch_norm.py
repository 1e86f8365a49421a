"""Batch normalization layers."""

from __future__ import annotations

from ... import functional
from ...autograd.tensor import Tensor
from ..activation import ReLU
from .running_averages import RunningAverages

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d"]


class BatchNorm(RunningAverages):
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
    track_running_stats  keep running averages; without them the batch's are used always. Set to
                         False later, those that are there stay as they are

    Raises ValueError for eps <= 0, for other shapes, and for one value a channel in training.
    """

    AXES: tuple[int, ...] = (2, 3, 4, 5)
    EXPECTED = "(N, C, ...)"

    def forward(
        self, input: Tensor, *, relu: bool = False, residual: Tensor | None = None
    ) -> Tensor:
        """Normalize; on request add `residual`, of input's shape, and rectify, in the same pass."""
        self._check(input, self.AXES, self.EXPECTED)
        seen = self._counted()
        output = functional.batch_norm(
            input,
            *self._averages(),
            self.weight,
            self.bias,
            self._of_batch(),
            self._weight_of_batch(),
            self.eps,
            relu=relu,
            residual=residual,
        )
        if seen is not None:
            seen.data[...] += 1
        return output

    # In use, a line a channel.
    linear_forward = forward


class BatchNorm1d(BatchNorm):
    """Batch normalization of (N, C) or (N, C, L); see `BatchNorm`.

    >>> import nnet as nn
    >>> nn.BatchNorm1d(1, eps=1e-12)(nn.tensor([[1.0], [3.0]])).tolist()
    [[-1.0], [1.0]]
    """

    AXES = (2, 3)
    EXPECTED = "(N, C) or (N, C, L)"
    fuses = ReLU


class BatchNorm2d(BatchNorm):
    """Batch normalization of (N, C, H, W), one mean and variance a feature map; see `BatchNorm`.

    >>> import nnet as nn
    >>> nn.BatchNorm2d(8)(nn.ones(2, 8, 4, 4)).shape
    (2, 8, 4, 4)
    """

    AXES = (4,)
    EXPECTED = "(N, C, H, W)"
    fuses = ReLU


class BatchNorm3d(BatchNorm):
    """Batch normalization of (N, C, D, H, W), volumes or videos; see `BatchNorm`.

    >>> import nnet as nn
    >>> nn.BatchNorm3d(2)(nn.ones(2, 2, 3, 4, 4)).shape
    (2, 2, 3, 4, 4)
    """

    AXES = (5,)
    EXPECTED = "(N, C, D, H, W)"
    fuses = ReLU
