"""Multiplicative attention, global and local."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ... import functional, init
from ...autograd.parameter import Parameter
from ...autograd.tensor import Tensor
from ..linear import Linear
from ..recurrent.checks import check_sizes
from .score_attention import Memory, ScoreAttention

__all__ = ["LuongAttention"]

SCORES = ("dot", "general", "concat")


class LuongAttention(ScoreAttention):
    """Attention by a product of query and key, over all keys or over a window that moves.

        dot      score(q, k) = q . k, for sizes that are equal
        general  q' W k
        concat   v' tanh(W [q; k]), the additive score of `BahdanauAttention`

    A product is one matrix multiplication for all pairs. In the paper the query is the decoder's
    state after its step, not before: then no state waits for a context, and a whole target
    sequence of queries is attended to at once.

    With `local`, a window D, the model predicts where to look, which it learns by gradient too:

        p = S sigmoid(v_p' tanh(W_p q)), S the number of keys, the first at 0     (local-p)

    Only keys at |s - p| <= D count, and their weights are multiplied by a Gaussian of s around p,
    e^(-(s - p)^2 / (2 sigma^2)) with sigma = D / 2. Then the paper's rows sum to less than 1; here
    they are divided by their sum, which is to add the exponent to the score, unless
    normalized=False. The gradient to p goes through the Gaussian; that a key enters or leaves the
    window has none.

    query_size, key_size  features of a query, of a key
    score                 "dot", "general" or "concat"
    local                 D >= 1, or None for all keys
    hidden_size           rows of concat's W; query_size if not given
    normalized            whether local's rows sum to 1

    weight           of general W (query_size, key_size), of concat W (hidden_size, query_size +
                     key_size); dot has none
    score_weight     of concat v (hidden_size,)
    position.weight  of local W_p (query_size, query_size)
    position_score   of local v_p (query_size,)

    All are uniform in +-1/sqrt(fan_in) at first. Calls, shapes and errors are those of
    `ScoreAttention`; ValueError too for another score, and for dot with sizes that differ.
    Luong, Pham & Manning 2015.

    >>> import nnet as nn
    >>> attention = nn.LuongAttention(3, 3, score="dot", local=2)
    >>> context, weights = attention(nn.randn(2, 4, 3), nn.randn(2, 9, 3))
    >>> context.shape, bool(((weights > 0).long().sum(-1) <= 5).numpy().all())
    ((2, 4, 3), True)
    """

    def __init__(
        self,
        query_size: int,
        key_size: int,
        score: str = "general",
        local: int | None = None,
        hidden_size: int | None = None,
        normalized: bool = True,
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        super().__init__(query_size, key_size)
        if score not in SCORES:
            raise ValueError(
                f"LuongAttention: expected score 'dot', 'general' or 'concat', got {score!r}"
            )
        if score == "dot" and query_size != key_size:
            raise ValueError(
                f"LuongAttention: expected query_size and key_size to be equal for score='dot', "
                f"got {query_size} and {key_size}"
            )
        if local is not None:
            check_sizes("LuongAttention", local=local)
        if hidden_size is None:
            hidden_size = query_size
        check_sizes("LuongAttention", hidden_size=hidden_size)
        self.kind = score
        self.local = local
        self.normalized = normalized
        shapes = {
            "general": (query_size, key_size),
            "concat": (hidden_size, query_size + key_size),
        }
        self.weight = Parameter(np.empty(shapes[score], dtype)) if score != "dot" else None
        self.score_weight = Parameter(np.empty(hidden_size, dtype)) if score == "concat" else None
        self.position = (
            None if local is None else Linear(query_size, query_size, False, dtype=dtype)
        )
        self.position_score = None if local is None else Parameter(np.empty(query_size, dtype))
        self.to(device)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the initial values anew."""
        for parameter in (self.weight, self.score_weight, self.position_score):
            if parameter is not None:
                bound = 1 / math.sqrt(parameter.shape[-1])
                init.uniform_(parameter, -bound, bound)
        if self.position is not None:
            self.position.reset_parameters()

    def macs(self, arguments: tuple, size: int) -> int:
        """Of the projections, of each query and for "concat" of each key."""
        if self.weight is None:
            return 0
        query, keys = arguments[:2]
        queries = query.numel() // self.query_size
        if self.score_weight is None:
            return queries * self.weight.numel()
        units = len(self.score_weight)
        return units * (query.numel() + keys.numel())

    def project(self, keys: Tensor) -> Tensor:
        if self.weight is None or self.score_weight is None:
            return keys
        return functional.linear(keys, self.weight[:, self.query_size :])

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        if self.weight is None:
            return functional.dot_score(query, keys)
        if self.score_weight is None:
            return functional.dot_score(query @ self.weight, keys)
        projected = functional.linear(query, self.weight[:, : self.query_size])
        return functional.additive_score(projected, keys, self.score_weight)

    def weigh(self, query: Tensor, memory: Memory) -> Tensor:
        score = self.score(query, memory.keys)
        if self.local is None:
            return functional.masked_softmax(score, memory.mask)
        distance = np.arange(score.shape[-1], dtype=score.dtype) - self.positions(query, memory)
        near = np.abs(distance.data) <= self.local
        mask = near if memory.mask is None else near & memory.mask
        exponent = distance * distance * (-2.0 / self.local**2)
        if self.normalized:
            return functional.masked_softmax(score + exponent, mask)
        return functional.masked_softmax(score, mask) * exponent.exp()

    def positions(self, query: Tensor, memory: Memory) -> Tensor:
        """p (N, L, 1), where each query (N, L, query_size) looks."""
        assert self.position is not None and self.position_score is not None
        hidden = self.position(query).tanh()
        share = (hidden @ self.position_score).sigmoid()
        lengths = memory.lengths.astype(query.dtype)
        return (share * lengths[:, None]).unsqueeze(-1)

    def extra_repr(self) -> str:
        shown = f"{self.query_size}, {self.key_size}, score={self.kind!r}"
        shown += "" if self.local is None else f", local={self.local}"
        return shown + ("" if self.normalized else ", normalized=False")
