"""Dropout with noise in place of zeros."""

from __future__ import annotations

import math

from kernels import gaussian_mask

from ... import random
from ...autograd.results import record
from ...autograd.tensor import Tensor
from ..check import check_tensors, number

__all__ = ["gaussian_dropout"]


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
