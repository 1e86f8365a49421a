"""Dropout with SELU's limit, which keeps mean and variance."""

from __future__ import annotations

from ...autograd.tensor import Tensor
from .masks import channels_masked, check, masked

__all__ = ["alpha_dropout", "feature_alpha_dropout"]

# SELU's value at minus infinity.
_SELU_LIMIT = -1.7580993408473766


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """What is dropped becomes SELU's limit s = -1.758, then a x + b restores mean 0, variance 1.

    a = ((1 - p) (1 + p s^2))^(-1/2), b = -a p s. Klambauer et al. 2017.

    >>> import nnet as nn, nnet.functional as F
    >>> abs(F.alpha_dropout(nn.randn(100_000), 0.2, training=True).mean().item()) < 0.02
    True
    """
    check("alpha_dropout", input, p)
    return masked("alpha_dropout", input, p, training, 1, inplace, **_alpha(p))


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """As `alpha_dropout`, but whole channels of (N, C, ...) at a time.

    >>> import nnet as nn, nnet.functional as F
    >>> F.feature_alpha_dropout(nn.randn(2, 3, 4), 0.2, training=True).shape
    (2, 3, 4)
    """
    axes = dict.fromkeys(range(2, 33), 2)
    return channels_masked("feature_alpha_dropout", input, p, training, inplace, axes, **_alpha(p))


def _alpha(p: float) -> dict[str, float]:
    if not 0 < p < 1:
        return {}
    scale = ((1 - p) * (1 + p * _SELU_LIMIT**2)) ** -0.5
    shift = -scale * p * _SELU_LIMIT
    return {"scale": scale, "shift": shift, "fill": scale * _SELU_LIMIT + shift}
