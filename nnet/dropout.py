"""Dropout layers."""

from __future__ import annotations

from . import functional
from .module import Module
from .tensor import Tensor


class Dropout(Module):
    """In training, zeros with probability p and the rest scaled by 1 / (1 - p).

    Srivastava et al. 2014. `inplace` changes nothing. Raises ValueError unless 0 <= p <= 1.

    >>> import nnet as nn
    >>> nn.Dropout(0.5).eval()(nn.ones(3))
    tensor([1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout: expected p from 0 to 1, got {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return functional.dropout(input, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"
