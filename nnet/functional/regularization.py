"""Dropout."""

from __future__ import annotations

from kernels import bernoulli_mask

from .. import random
from ..tensor import Tensor, record
from .check import check_tensors


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training, zeros with probability p and the rest scaled by 1 / (1 - p).

    Each call takes the next stream of `nnet.random`; p of 0 or 1 takes none. `inplace` changes
    nothing. Srivastava et al. 2014.

    Raises TypeError for other dtypes, ValueError unless 0 <= p <= 1.

    >>> import nnet as nn, nnet.functional as F
    >>> F.dropout(nn.ones(3), p=1.0)
    tensor([0., 0., 0.])
    """
    check_tensors("dropout", input=input)
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: expected p from 0 to 1, got {p}")
    if not training or p == 0:
        return input
    seed, stream = random.next_stream() if p < 1 else (0, 0)
    y, saved = bernoulli_mask.forward(input.data, p, seed=seed, stream=stream)
    return record(y, (input,), lambda dy: bernoulli_mask.backward(dy, saved))
