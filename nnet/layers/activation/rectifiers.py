"""Layers that are linear above 0, and differ in what they do below.

With `inplace` a layer overwrites what it is given and returns it, as in PyTorch: whoever else uses
that tensor, as a shortcut around the layer does, sees the change.
"""

from __future__ import annotations

from ... import functional
from ...autograd.tensor import Tensor
from ...module.module import Module

__all__ = ["ReLU", "LeakyReLU", "ELU", "SELU", "CELU", "Hardtanh", "ReLU6"]


class _Rectifier(Module):
    """What those with `inplace` share."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def _with_inplace(self, text: str) -> str:
        return text + (", " if text and self.inplace else "") + "inplace=True" * self.inplace

    def extra_repr(self) -> str:
        return self._with_inplace("")


class ReLU(_Rectifier):
    """max(x, 0): gradient 1 above 0, and 0 elsewhere, at 0 too.

    It does not saturate above 0 and costs one comparison. A unit that is below 0 for every sample
    has no gradient and stays so: it is dead. `training.dead_units` counts them; they come with
    large learning rates and negative biases. Nair & Hinton 2010.

    >>> import nnet as nn
    >>> nn.ReLU()(nn.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return functional.relu(input, inplace=self.inplace)


class LeakyReLU(_Rectifier):
    """x above 0, negative_slope * x below: a small gradient there brings dead units back.

    Maas, Hannun & Ng 2013.

    >>> import nnet as nn
    >>> nn.LeakyReLU(0.1)(nn.tensor([-1.0, 2.0]))
    tensor([-0.1,  2. ])
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        return functional.leaky_relu(input, self.negative_slope, inplace=self.inplace)

    def extra_repr(self) -> str:
        return self._with_inplace(f"negative_slope={self.negative_slope}")


class ELU(_Rectifier):
    """x above 0, alpha (e^x - 1) below, which saturates at -alpha.

    Outputs near mean 0 speed up learning, and for alpha = 1 the slope is continuous. The gradient
    below 0 is alpha e^x = y + alpha, so the output is all that is kept. Clevert, Unterthiner &
    Hochreiter 2016.

    >>> import nnet as nn
    >>> nn.ELU()(nn.tensor([-1000.0, 2.0]))
    tensor([-1.,  2.])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        return functional.elu(input, self.alpha, inplace=self.inplace)

    def extra_repr(self) -> str:
        return self._with_inplace(f"alpha={self.alpha}")


class SELU(_Rectifier):
    """ELU with alpha = 1.6733, times 1.0507.

    With weights of variance 1 / fan_in, layers of it draw the mean of what they compute to 0 and
    its variance to 1. Klambauer et al. 2017.

    >>> import nnet as nn
    >>> nn.SELU()(nn.ones(1))
    tensor([1.050701])
    """

    def forward(self, input: Tensor) -> Tensor:
        return functional.selu(input, inplace=self.inplace)


class CELU(_Rectifier):
    """x above 0, alpha (e^(x / alpha) - 1) below: the slope at 0 is 1 on both sides for any alpha.

    Barron 2017.

    >>> import nnet as nn
    >>> nn.CELU(0.5)(nn.tensor([-1000.0, 2.0]))
    tensor([-0.5,  2. ])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        return functional.celu(input, self.alpha, inplace=self.inplace)

    def extra_repr(self) -> str:
        return self._with_inplace(f"alpha={self.alpha}")


class Hardtanh(_Rectifier):
    """x limited to [min_val, max_val]; gradient 1 between, 0 at the limits and beyond.

    >>> import nnet as nn
    >>> nn.Hardtanh()(nn.tensor([-2.0, 0.5]))
    tensor([-1. ,  0.5])
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        if not min_val < max_val:
            raise ValueError(f"Hardtanh: expected min_val < max_val, got {min_val} and {max_val}")
        self.min_val = min_val
        self.max_val = max_val

    def forward(self, input: Tensor) -> Tensor:
        return functional.hardtanh(input, self.min_val, self.max_val, inplace=self.inplace)

    def extra_repr(self) -> str:
        return self._with_inplace(f"min_val={self.min_val}, max_val={self.max_val}")


class ReLU6(Hardtanh):
    """min(max(x, 0), 6): bounded, so that few bits hold it.

    >>> import nnet as nn
    >>> nn.ReLU6()(nn.tensor([-1.0, 7.0]))
    tensor([0., 6.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return self._with_inplace("")
