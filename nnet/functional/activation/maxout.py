"""The greatest of several linear maps."""

from __future__ import annotations

import math

import numpy as np

from kernels import maxout as maxout_op

from ...autograd.results import record
from ...autograd.tensor import Tensor
from ..check import check_tensors, whole

__all__ = ["maxout"]


def maxout(input: Tensor, pieces: int, dim: int = -1) -> Tensor:
    """The greatest of `pieces` equal parts that lie one behind the other along `dim`.

    The gradient goes to the greatest part, the first of them where several are equal.

    Raises TypeError for other dtypes than float32 and float64, IndexError for a dim that is not
    there, ValueError for a length that the pieces do not divide.

    >>> import nnet as nn, nnet.functional as F
    >>> F.maxout(nn.tensor([1.0, -2.0, 0.5, 3.0]), pieces=2)
    tensor([1., 3.])
    """
    check_tensors("maxout", input=input)
    shape = input.shape
    dim, pieces = whole("maxout", "dim", dim), whole("maxout", "pieces", pieces)
    if not -len(shape) <= dim < len(shape):
        raise IndexError(f"maxout: expected dim from {-len(shape)} to {len(shape) - 1}, got {dim}")
    dim %= len(shape)
    if pieces < 1 or shape[dim] % pieces:
        raise ValueError(f"maxout: expected pieces that divide {shape[dim]}, got {pieces}")
    before, behind = shape[:dim], (shape[dim] // pieces, *shape[dim + 1 :])
    x = input.data.reshape(math.prod(before), pieces, math.prod(behind))
    y, saved = maxout_op.forward(x)

    def backward(dy: np.ndarray) -> np.ndarray:
        return maxout_op.backward(dy.reshape(y.shape), saved).reshape(shape)

    return record(y.reshape(before + behind), (input,), backward)
