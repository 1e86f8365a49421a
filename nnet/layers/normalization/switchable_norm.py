"""Layers that learn which statistics to normalize by."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from ... import functional
from ...autograd.parameter import Parameter
from ...autograd.tensor import Tensor
from .running_averages import RunningAverages

__all__ = ["BatchInstanceNorm1d", "BatchInstanceNorm2d", "SwitchableNorm1d", "SwitchableNorm2d"]


class MixedNorm(RunningAverages):
    """What is done around a mixture. The arguments are BatchNorm's.

    AXES      how many the input may have, as EXPECTED says
    FUNCTION  of input, running averages, those of MORE, weight, bias, ...

    Raises ValueError for other shapes and for one value an instance.
    """

    AXES: tuple[int, ...] = ()
    EXPECTED = ""
    FUNCTION: Callable[..., Tensor]

    def forward(
        self, input: Tensor, *, relu: bool = False, residual: Tensor | None = None
    ) -> Tensor:
        self._check(input, self.AXES, self.EXPECTED)
        output = type(self).FUNCTION(
            input,
            *self._averages(),
            *(getattr(self, name) for name in self.MORE),
            self.weight,
            self.bias,
            self._of_batch(),
            self._weight_of_batch(),
            self.eps,
        )
        return self._finished(output, relu, residual)


class BatchInstanceNorm(MixedNorm):
    """What the batch-instance normalizations share. Nam & Kim 2018.

    y = weight (gate xhat_batch + (1 - gate) xhat_instance) + bias: instance normalization removes
    a style where it only disturbs, batch normalization keeps it where it tells classes apart, and
    each channel learns which. dgate = sum of dy weight (xhat_batch - xhat_instance). gate is
    clipped to 0 .. 1 after each update: here, before training uses it. In use the batch's
    statistics are the running averages, an instance's are its own.

    gate  (num_features,), ones at first, which is batch normalization
    """

    MORE: ClassVar[dict[str, int]] = {"gate": 0}
    FUNCTION = staticmethod(functional.batch_instance_norm)
    gate: Parameter

    def forward(
        self, input: Tensor, *, relu: bool = False, residual: Tensor | None = None
    ) -> Tensor:
        if self.training:
            np.clip(self.gate.data, 0, 1, out=self.gate.data)
        return super().forward(input, relu=relu, residual=residual)


class SwitchableNorm(MixedNorm):
    """What the switchable normalizations share. Luo, Ren, Peng, Zhang & Li 2018.

    y = weight (x - mean) / sqrt(var + eps) + bias, where mean is a mixture of the means of
    instance, layer and batch, and var one of their variances; a mixture's weights are the softmax
    of three learned numbers. All follow from the instances' statistics, so that it takes no more
    passes than one of them. Gradients flow through all of them. In use the batch's statistics are
    the running averages.

    mean_weight, var_weight  (3,) for instance, layer, batch; ones at first: a third each
    """

    MORE: ClassVar[dict[str, int]] = {"mean_weight": 3, "var_weight": 3}
    FUNCTION = staticmethod(functional.switchable_norm)
    mean_weight: Parameter
    var_weight: Parameter


class BatchInstanceNorm1d(BatchInstanceNorm):
    """Batch-instance normalization of (N, C, L); see `BatchInstanceNorm`.

    >>> import nnet as nn
    >>> nn.BatchInstanceNorm1d(3)(nn.rand(4, 3, 5)).shape
    (4, 3, 5)
    """

    AXES = (3,)
    EXPECTED = "(N, C, L)"


class BatchInstanceNorm2d(BatchInstanceNorm):
    """Batch-instance normalization of (N, C, H, W); see `BatchInstanceNorm`.

    >>> import nnet as nn
    >>> nn.BatchInstanceNorm2d(3)(nn.rand(4, 3, 5, 5)).shape
    (4, 3, 5, 5)
    """

    AXES = (4,)
    EXPECTED = "(N, C, H, W)"


class SwitchableNorm1d(SwitchableNorm):
    """Switchable normalization of (N, C, L); see `SwitchableNorm`.

    >>> import nnet as nn
    >>> nn.SwitchableNorm1d(3)(nn.rand(4, 3, 5)).shape
    (4, 3, 5)
    """

    AXES = (3,)
    EXPECTED = "(N, C, L)"


class SwitchableNorm2d(SwitchableNorm):
    """Switchable normalization of (N, C, H, W); see `SwitchableNorm`.

    >>> import nnet as nn
    >>> nn.SwitchableNorm2d(3)(nn.rand(4, 3, 5, 5)).shape
    (4, 3, 5, 5)
    """

    AXES = (4,)
    EXPECTED = "(N, C, H, W)"
