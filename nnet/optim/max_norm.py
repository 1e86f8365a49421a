"""Max-norm: a bound on the length of each unit's incoming weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from kernels import max_norm

from ..autograd.tensor import Tensor
from ..autograd.writes import wrote


def max_norm_(parameter: Tensor, c: float, dim: int = 0) -> Tensor:
    """w <- w min(1, c / |w|) for each unit's incoming vector w, in place, unrecorded.

    dim  the axis that counts units: 0 for the rows of a linear weight and the filters of a
         convolution, 1 for a transposed convolution

    A unit inside the ball keeps every bit, a zero vector stays zero. To be called after each
    update: the weights cannot grow without end however high the rate, which lets dropout's noise
    be averaged at rates that would diverge otherwise. c is 3 to 4 in the paper. Srivastava et al.
    2014, section 5.1.

    Raises TypeError for another dtype than float32 and float64, ValueError for c of 0 or less,
    IndexError for dim.

    >>> import nnet as nn
    >>> nn.max_norm_(nn.tensor([[3.0, 4.0], [0.3, 0.4]]), c=1.0)
    tensor([[0.6, 0.8],
            [0.3, 0.4]])
    """
    if not isinstance(parameter, Tensor):
        raise TypeError(f"max_norm_: expected a tensor, got {type(parameter).__name__}")
    weight = parameter.data
    if not -weight.ndim <= dim < weight.ndim:
        raise IndexError(f"max_norm_: expected dim of {weight.ndim} axes, got {dim}")
    if dim % weight.ndim == 0 and weight.flags.c_contiguous:
        max_norm.project(weight, c)
    else:
        rows = np.array(np.moveaxis(weight, dim, 0), order="C")
        max_norm.project(rows, c)
        np.moveaxis(weight, dim, 0)[...] = rows
    wrote(weight)
    return parameter


class MaxNorm:
    """`max_norm_` of many parameters, to be called behind each step of an optimizer.

    params  tensors, as `model.parameters()`; those with fewer than two axes, biases and the
            parameters of normalizations, are left alone
    c, dim  as in `max_norm_`

    >>> import nnet as nn
    >>> model = nn.Linear(100, 10)
    >>> optimizer = nn.optim.SGD(model.parameters(), lr=1.0)
    >>> max_norm = nn.optim.MaxNorm(model.parameters(), c=3.0)
    >>> model(nn.ones(1, 100)).sum().backward()
    >>> optimizer.step()
    >>> max_norm()
    >>> (model.weight * model.weight).sum(1).max().item() < 9.0001
    True
    """

    def __init__(self, params: Iterable[Tensor], c: float, dim: int = 0) -> None:
        self.params = [param for param in params if param.ndim >= 2]
        if not 0 < c < np.inf:
            raise ValueError(f"MaxNorm: expected a finite c above 0, got {c}")
        self.c = c
        self.dim = dim

    def __call__(self, *_: Any) -> None:
        """Arguments are ignored, so that it can be registered as an optimizer's hook."""
        for param in self.params:
            max_norm_(param, self.c, self.dim)
