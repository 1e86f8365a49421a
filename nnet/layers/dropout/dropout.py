"""Dropout layers: noise in training, nothing in use."""

from __future__ import annotations

from ... import functional
from ...autograd.tensor import Tensor
from ...module.module import Module

__all__ = [
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "AlphaDropout",
    "FeatureAlphaDropout",
    "GaussianDropout",
]


class RandomInTraining(Module):
    """A layer whose training mode draws at random and learns nothing from the batch.

    `nn.monte_carlo` switches such layers to training, and only them.
    """


class _Dropout(RandomInTraining):
    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"{type(self).__name__}: expected p from 0 to 1, got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """Units removed at random, so that none can rely on another.

    In training y = r x / (1 - p), with r = 0 with probability p, else 1, drawn anew for each
    element; in use y = x. E[y] = x in both: each step trains one of 2^n networks that share their
    weights, and use takes nearly the geometric mean of them all, exactly so for one softmax layer.
    The gradient is dx = r dy / (1 - p), with the same r.

    With `inverted=False`, the paper's form, training gives y = r x and use y = (1 - p) x: at test
    time it is the probability of being kept that multiplies, not that of being dropped.

    With `inplace` training overwrites the input. Raises ValueError unless 0 <= p <= 1. Srivastava
    et al. 2014.

    >>> import nnet as nn
    >>> nn.Dropout(0.5).eval()(nn.ones(3))
    tensor([1., 1., 1.])
    >>> nn.Dropout(0.2, inverted=False).eval()(nn.ones(3))
    tensor([0.8, 0.8, 0.8])
    """

    def __init__(self, p: float = 0.5, inplace: bool = False, *, inverted: bool = True) -> None:
        super().__init__(p, inplace)
        self.inverted = inverted

    def forward(self, input: Tensor) -> Tensor:
        return functional.dropout(
            input, self.p, self.training, self.inplace, inverted=self.inverted
        )

    def extra_repr(self) -> str:
        return super().extra_repr() + ("" if self.inverted else ", inverted=False")


class Dropout1d(_Dropout):
    """`Dropout` of whole channels of (N, C, L) or (C, L).

    What a convolution finds at one place it finds beside it too, so single zeros would be filled
    in by their neighbours: a feature map goes as a whole. Tompson et al. 2015.

    >>> import nnet as nn
    >>> nn.Dropout1d()(nn.ones(8, 4, 3)).std(2).max()
    tensor(0.)
    """

    def forward(self, input: Tensor) -> Tensor:
        return functional.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """`Dropout` of whole channels of (N, C, H, W) or (N, C, L): see `Dropout1d`.

    >>> import nnet as nn
    >>> nn.Dropout2d()(nn.ones(8, 4, 3, 3)).std((2, 3)).max()
    tensor(0.)
    """

    def forward(self, input: Tensor) -> Tensor:
        return functional.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_Dropout):
    """`Dropout` of whole channels of (N, C, D, H, W) or (C, D, H, W): see `Dropout1d`.

    >>> import nnet as nn
    >>> nn.Dropout3d()(nn.ones(8, 4, 2, 3, 3)).shape
    (8, 4, 2, 3, 3)
    """

    def forward(self, input: Tensor) -> Tensor:
        return functional.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Dropout for networks of SELU, which keep mean 0 and variance 1 by themselves.

    A zero would disturb that. What is dropped becomes SELU's lowest value s = -1.758 instead, and
    a x + b with a = ((1 - p) (1 + p s^2))^(-1/2), b = -a p s restores both moments; dx = a dy where
    x was kept. Klambauer et al. 2017.

    >>> import nnet as nn
    >>> abs(nn.AlphaDropout(0.2)(nn.randn(100_000)).std().item() - 1) < 0.02
    True
    """

    def forward(self, input: Tensor) -> Tensor:
        return functional.alpha_dropout(input, self.p, self.training, self.inplace)


class FeatureAlphaDropout(_Dropout):
    """`AlphaDropout` of whole channels of (N, C, ...).

    >>> import nnet as nn
    >>> nn.FeatureAlphaDropout()(nn.ones(8, 4, 3, 3)).std((2, 3)).max()
    tensor(0.)
    """

    def forward(self, input: Tensor) -> Tensor:
        return functional.feature_alpha_dropout(input, self.p, self.training, self.inplace)


class GaussianDropout(RandomInTraining):
    """Each element times its own draw of N(1, p / (1 - p)) in training.

    The noise has the mean and the variance of `Dropout`'s r / (1 - p), and of all noise with
    these two the greatest entropy. dx = dy times the same draw. In use y = x.

    p  of the dropout that it stands for; raises ValueError unless 0 <= p < 1

    Srivastava et al. 2014, section 10.

    >>> import nnet as nn
    >>> abs(nn.GaussianDropout(0.5)(nn.ones(100_000)).std().item() - 1) < 0.02
    True
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"GaussianDropout: expected p from 0 to below 1, got {p}")
        self.p = p

    def forward(self, input: Tensor) -> Tensor:
        return functional.gaussian_dropout(input, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}"
