"""Dropout, of elements and of whole channels, with zeros."""

from __future__ import annotations

from ...autograd.tensor import Tensor
from .masks import channels_masked, check, masked

__all__ = ["dropout", "dropout1d", "dropout2d", "dropout3d"]


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
    check("dropout", input, p)
    if not inverted and not training and p > 0:
        return input.mul_(1 - p) if inplace else input * (1 - p)
    return masked("dropout", input, p, training, 1, inplace, scale=None if inverted else 1.0)


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
    return channels_masked("dropout1d", input, p, training, inplace, {2: 1, 3: 2})


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """As `dropout`, but whole channels of (N, C, H, W) or (N, C, L) at a time.

    Three axes are a batch of sequences, as in PyTorch, not one image.

    >>> import nnet as nn, nnet.functional as F
    >>> F.dropout2d(nn.ones(2, 3, 4, 4), p=0.5).sum((2, 3)).shape
    (2, 3)
    """
    return channels_masked("dropout2d", input, p, training, inplace, {3: 2, 4: 2})


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """As `dropout`, but whole channels of (N, C, D, H, W) or (C, D, H, W) at a time.

    >>> import nnet as nn, nnet.functional as F
    >>> F.dropout3d(nn.ones(2, 3, 4, 4, 4), p=0.5).shape
    (2, 3, 4, 4, 4)
    """
    return channels_masked("dropout3d", input, p, training, inplace, {4: 1, 5: 2})
