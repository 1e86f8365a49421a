"""What attention by a learned score has in common: keys, values, and shares that sum to 1."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ... import functional
from ...autograd.tensor import Tensor
from ...functional.check import check_tensors
from ...module.module import Module
from ..recurrent.checks import check_sizes


class Memory(NamedTuple):
    """What can be attended to, made ready once for any number of queries.

    keys     (N, S, ...) as the score takes them
    values   (N, S, V)
    lengths  (N,) int64: how many of the S there are
    mask     (N, 1, S) bool: which there are; None for all
    """

    keys: Tensor
    values: Tensor
    lengths: np.ndarray
    mask: np.ndarray | None


class ScoreAttention(Module):
    """Base of attentions that score every query against every key.

    weights = softmax over the keys of score(query, key); context = the mean of the values with
    these weights. Of a sample whose key_lengths is 0 both are 0, and nothing learns from it.

    forward(query, keys, values=None, key_lengths=None) -> context, weights

        query        (N, L, query_size), or (N, query_size) for a single one
        keys         (N, S, key_size)
        values       (N, S, V); the keys if not given
        key_lengths  (N,) integers from 0 to S: later keys are padding; None for S
        context      (N, L, V), or (N, V)
        weights      (N, L, S), or (N, S): rows sum to 1, and are exactly 0 on padding

    A decoder that asks step by step calls `prepare(keys, values, key_lengths)` once and
    `attend(query, memory)` at every step; `forward` is both.

    Raises TypeError for other or mixed dtypes, ValueError for shapes that do not fit and lengths
    out of range.
    """

    def __init__(self, query_size: int, key_size: int) -> None:
        super().__init__()
        check_sizes(type(self).__name__, query_size=query_size, key_size=key_size)
        self.query_size = query_size
        self.key_size = key_size

    def forward(
        self,
        query: Tensor,
        keys: Tensor,
        values: Tensor | None = None,
        key_lengths: Any = None,
    ) -> tuple[Tensor, Tensor]:
        check_tensors(type(self).__name__, query=query, keys=keys, values=values)
        return self.attend(query, self.prepare(keys, values, key_lengths))

    def prepare(
        self, keys: Tensor, values: Tensor | None = None, key_lengths: Any = None
    ) -> Memory:
        """Whatever of the score needs no query."""
        name = type(self).__name__
        check_tensors(name, keys=keys, values=values)
        if keys.ndim != 3 or keys.shape[2] != self.key_size:
            raise ValueError(
                f"{name}: expected keys of shape (N, S, {self.key_size}), got {keys.shape}"
            )
        n, size, _ = keys.shape
        if values is not None and (values.ndim != 3 or values.shape[:2] != (n, size)):
            raise ValueError(
                f"{name}: expected values of shape ({n}, {size}, V), got {values.shape}"
            )
        lengths, mask = _lengths_and_mask(name, key_lengths, n, size)
        return Memory(self.project(keys), keys if values is None else values, lengths, mask)

    def attend(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """context and weights of queries (N, L, query_size) or (N, query_size)."""
        name = type(self).__name__
        check_tensors(name, query=query, keys=memory.keys)
        n = len(memory.lengths)
        single = query.ndim == 2
        if query.ndim not in (2, 3) or query.shape[0] != n or query.shape[-1] != self.query_size:
            raise ValueError(
                f"{name}: expected query of shape ({n}, L, {self.query_size}) or "
                f"({n}, {self.query_size}), got {query.shape}"
            )
        weights = self.weigh(query.unsqueeze(1) if single else query, memory)
        context = weights @ memory.values
        return (context.squeeze(1), weights.squeeze(1)) if single else (context, weights)

    def weigh(self, query: Tensor, memory: Memory) -> Tensor:
        """weights (N, L, S)."""
        return functional.masked_softmax(self.score(query, memory.keys), memory.mask)

    def project(self, keys: Tensor) -> Tensor:
        """The keys as `score` takes them."""
        return keys

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """(N, L, S) of query (N, L, query_size) and projected keys."""
        raise NotImplementedError


def _lengths_and_mask(
    name: str, given: Any, n: int, size: int
) -> tuple[np.ndarray, np.ndarray | None]:
    if given is None:
        return np.full(n, size, np.int64), None
    lengths = np.asarray(given.data if isinstance(given, Tensor) else given)
    if lengths.dtype.kind not in "iu" and lengths.size:
        raise TypeError(f"{name}: expected key_lengths to be integers, got {lengths.dtype}")
    if lengths.shape != (n,):
        raise ValueError(f"{name}: expected key_lengths of shape ({n},), got {lengths.shape}")
    wrong = np.flatnonzero((lengths < 0) | (lengths > size))
    if wrong.size:
        first = wrong[0]
        raise ValueError(
            f"{name}: expected key_lengths from 0 to {size}, got {lengths[first]} "
            f"for sample {first}"
        )
    lengths = lengths.astype(np.int64)
    if (lengths == size).all():
        return lengths, None
    return lengths, np.arange(size) < lengths[:, None, None]
