"""Dropout, of elements and of whole channels, with zeros, with SELU's limit and with noise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kernels import bernoulli_mask, gaussian_mask

from ... import random
from ...autograd.in_place import rewrite
from ...autograd.results import record
from ...autograd.tape import Backward
from ...autograd.tensor import Tensor
from ..check import check_tensors, number

__all__ = [
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "alpha_dropout",
    "feature_alpha_dropout",
    "gaussian_dropout",
]

# SELU's value at minus infinity.
_SELU_LIMIT = -1.7580993408473766


def dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    inverted: bool = True,
) -> Tensor:
    """In training, zeros with probability p and the rest scaled by 1 / (1 - p).

    inverted  if False, training leaves the rest as it is, and outside training everything is
              multiplied by the probability 1 - p of being kept: the paper's classic form, with
              the same expectation

    Each call takes the next stream of `nnet.random`; p of 0 or 1 takes none. What is dropped is 0
    even if it was NaN or infinite (PyTorch multiplies, and gives NaN). With `inplace` the input is
    overwritten and returned. Srivastava et al. 2014.

    Raises TypeError for other dtypes, ValueError unless 0 <= p <= 1.

    >>> import nnet as nn, nnet.functional as F
    >>> F.dropout(nn.ones(3), p=1.0)
    tensor([0., 0., 0.])
    >>> F.dropout(nn.ones(3), p=0.25, training=False, inverted=False)
    tensor([0.75, 0.75, 0.75])
    """
    _check("dropout", input, p)
    if not inverted and not training and p > 0:
        return input.mul_(1 - p) if inplace else input * (1 - p)
    return _masked("dropout", input, p, training, 1, inplace, scale=None if inverted else 1.0)


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """As `dropout`, but whole channels of (N, C, L) or (C, L) at a time.

    Neighbours in a channel are alike, so dropping them one by one would remove little. Tompson et
    al. 2015. Raises ValueError for another number of axes.

    >>> import nnet as nn, nnet.functional as F
    >>> F.dropout1d(nn.ones(2, 3), p=1.0)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    return _channels("dropout1d", input, p, training, inplace, {2: 1, 3: 2})


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """As `dropout`, but whole channels of (N, C, H, W) or (N, C, L) at a time.

    Three axes are a batch of sequences, as in PyTorch, not one image.

    >>> import nnet as nn, nnet.functional as F
    >>> F.dropout2d(nn.ones(2, 3, 4, 4), p=0.5).sum((2, 3)).shape
    (2, 3)
    """
    return _channels("dropout2d", input, p, training, inplace, {3: 2, 4: 2})


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """As `dropout`, but whole channels of (N, C, D, H, W) or (C, D, H, W) at a time.

    >>> import nnet as nn, nnet.functional as F
    >>> F.dropout3d(nn.ones(2, 3, 4, 4, 4), p=0.5).shape
    (2, 3, 4, 4, 4)
    """
    return _channels("dropout3d", input, p, training, inplace, {4: 1, 5: 2})


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """What is dropped becomes SELU's limit s = -1.758, then a x + b restores mean 0, variance 1.

    a = ((1 - p) (1 + p s^2))^(-1/2), b = -a p s. Klambauer et al. 2017.

    >>> import nnet as nn, nnet.functional as F
    >>> abs(F.alpha_dropout(nn.randn(100_000), 0.2, training=True).mean().item()) < 0.02
    True
    """
    _check("alpha_dropout", input, p)
    return _masked("alpha_dropout", input, p, training, 1, inplace, **_alpha(p))


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """As `alpha_dropout`, but whole channels of (N, C, ...) at a time.

    >>> import nnet as nn, nnet.functional as F
    >>> F.feature_alpha_dropout(nn.randn(2, 3, 4), 0.2, training=True).shape
    (2, 3, 4)
    """
    axes = dict.fromkeys(range(2, 33), 2)
    return _channels("feature_alpha_dropout", input, p, training, inplace, axes, **_alpha(p))


def gaussian_dropout(input: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """In training, times N(1, p / (1 - p)): noise with the mean and variance of `dropout`'s mask.

    Nothing is to be scaled in use, for the mean is 1. Raises ValueError unless 0 <= p < 1.
    Srivastava et al. 2014, section 10.

    >>> import nnet as nn, nnet.functional as F
    >>> abs(F.gaussian_dropout(nn.ones(100_000), 0.2).var().item() - 0.25) < 0.02
    True
    """
    check_tensors("gaussian_dropout", input=input)
    if not 0 <= (p := number("gaussian_dropout", "p", p)) < 1:
        raise ValueError(f"gaussian_dropout: expected p from 0 to below 1, got {p}")
    if not training or p == 0:
        return input
    seed, stream = random.next_stream()
    std = math.sqrt(p / (1 - p))
    y, saved = gaussian_mask.forward(input.data, std, seed=seed, stream=stream)
    return record(y, (input,), lambda dy: gaussian_mask.backward(dy, saved))


def _check(op: str, input: Tensor, p: float) -> None:
    check_tensors(op, input=input)
    if isinstance(p, Tensor):
        raise TypeError(f"{op}: expected p as a number, got a tensor")
    if not 0 <= p <= 1:
        raise ValueError(f"{op}: expected p from 0 to 1, got {p}")


def _channels(
    op: str,
    input: Tensor,
    p: float,
    training: bool,
    inplace: bool,
    axes: dict[int, int],
    **numbers: Any,
) -> Tensor:
    """Drop channels together: `axes` says for a number of axes how many count channels."""
    _check(op, input, p)
    shape = input.shape
    if len(shape) not in axes:
        wanted = " or ".join(map(str, axes)) if len(axes) < 3 else "at least 2"
        raise ValueError(f"{op}: expected input of {wanted} axes, got shape {shape}")
    plane = math.prod(shape[axes[len(shape)] :])
    return _masked(op, input, p, training, max(plane, 1), inplace, **numbers)


def _alpha(p: float) -> dict[str, float]:
    if not 0 < p < 1:
        return {}
    scale = ((1 - p) * (1 + p * _SELU_LIMIT**2)) ** -0.5
    shift = -scale * p * _SELU_LIMIT
    return {"scale": scale, "shift": shift, "fill": scale * _SELU_LIMIT + shift}


def _masked(
    op: str, input: Tensor, p: float, training: bool, plane: int, inplace: bool, **numbers: Any
) -> Tensor:
    if not training or p == 0:
        return input

    def write(x: np.ndarray, out: np.ndarray | None) -> tuple[np.ndarray, Backward]:
        seed, stream = random.next_stream() if p < 1 else (0, 0)
        y, saved = bernoulli_mask.forward(
            x, p, seed=seed, stream=stream, plane=plane, out=out, **numbers
        )
        return y, lambda dy: bernoulli_mask.backward(dy, saved)

    if inplace:
        return rewrite(op, input, lambda x, out: write(x, out)[1])
    y, backward = write(input.data, None)
    return record(y, (input,), backward)
