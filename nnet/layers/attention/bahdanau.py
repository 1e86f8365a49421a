"""Additive attention."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ... import functional, init
from ...autograd.parameter import Parameter
from ...autograd.tensor import Tensor
from ..linear import Linear
from ..recurrent.checks import check_sizes
from .score_attention import ScoreAttention

__all__ = ["BahdanauAttention"]


class BahdanauAttention(ScoreAttention):
    """Attention whose score is a small network: score(q, k) = v' tanh(W q + U k).

    An encoder that hands over its last state alone must press a whole sentence into it, and long
    ones suffer. Here a decoder asks anew at every step, with its state q, which of the encoder's
    states k matter now: weights = softmax over k of the score, context = the weighted mean. The
    weights are learned without ever being shown; as a picture they align target and source. The
    gradient to a score is weights * (g - the weighted mean of g) with g = dcontext . value: a key
    whose value would have helped more than the mean gains weight.

    A network for every pair of query and key is dear in principle; the kernel computes the
    exponentials of W q and U k once each, which leaves a division a pair and unit.

    query_size, key_size  features of a query, of a key
    hidden_size           of W q and U k

    query_projection.weight  W (hidden_size, query_size)
    key_projection.weight    U (hidden_size, key_size)
    weight                   v (hidden_size,), all three uniform in +-1/sqrt(fan_in) at first

    Calls, shapes and errors are those of `ScoreAttention`. Bahdanau, Cho & Bengio 2015.

    >>> import nnet as nn
    >>> attention = nn.BahdanauAttention(query_size=3, key_size=5, hidden_size=8)
    >>> context, weights = attention(nn.randn(2, 3), nn.randn(2, 7, 5), key_lengths=[7, 4])
    >>> context.shape, weights.shape, weights[1, 4:].detach()
    ((2, 5), (2, 7), tensor([0., 0., 0.]))
    """

    def __init__(
        self,
        query_size: int,
        key_size: int,
        hidden_size: int,
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        super().__init__(query_size, key_size)
        check_sizes("BahdanauAttention", hidden_size=hidden_size)
        self.hidden_size = hidden_size
        self.query_projection = Linear(query_size, hidden_size, bias=False, dtype=dtype)
        self.key_projection = Linear(key_size, hidden_size, bias=False, dtype=dtype)
        self.weight = Parameter(np.empty(hidden_size, dtype))
        self.to(device)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the initial values anew."""
        self.query_projection.reset_parameters()
        self.key_projection.reset_parameters()
        bound = 1 / math.sqrt(self.hidden_size)
        init.uniform_(self.weight, -bound, bound)

    def project(self, keys: Tensor) -> Tensor:
        return self.key_projection(keys)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        return functional.additive_score(self.query_projection(query), keys, self.weight)

    def extra_repr(self) -> str:
        return f"{self.query_size}, {self.key_size}, {self.hidden_size}"
