"""What writes the target: without attention, with attention after the step, or before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .. import functional
from ..embedding import Embedding
from ..joining import cat, stack
from ..linear import Linear
from ..module import Module
from ..score_attention import Memory, ScoreAttention
from ..tensor import Tensor, record_outputs
from .encoder import CELLS, Hidden, through


class State(NamedTuple):
    """Where a decoder is: the states of its layers, and the vector (M, H) that is fed back."""

    hidden: Hidden
    fed: Tensor | None

    def of(self, rows: np.ndarray) -> State:
        """The states of these rows of the batch."""
        fed = None if self.fed is None else self.fed[rows]
        return State(tuple(each[:, rows] for each in self.hidden), fed)


# A step's (vector before the output layer, weights, state), and those of all steps.
Step = tuple[Tensor, Tensor | None, State]


class Decoder(Module):
    """A recurrent network over the target that was written so far, and an output layer.

    Without attention all that it knows of the source is the state it starts from. It knows its
    input before it starts, so `run` takes all steps in one call of the recurrent kernel.

    `run` takes ids (T, M), a state, and what to attend to, of N samples; where M is a multiple of
    N, so many rows side by side belong to each sample. It returns vectors (T, M, H) that `out`
    makes logits of, weights (T, M, S) or None, and the state behind.
    """

    def __init__(
        self,
        cell: str,
        size: int,
        embedding_size: int,
        hidden_size: int,
        num_layers: int,
        dropout: float,
        fed_size: int,
        dtype: npt.DTypeLike,
    ) -> None:
        super().__init__()
        self.embedding = Embedding(size, embedding_size, dtype=dtype)
        self.layers = CELLS[cell](
            embedding_size + fed_size,
            hidden_size,
            num_layers,
            dropout=dropout if num_layers > 1 else 0.0,
            dtype=dtype,
        )
        self.out = Linear(hidden_size, size, dtype=dtype)
        self.dropout = dropout

    def start(self, hidden: Hidden) -> State:
        return State(hidden, None)

    def run(self, ids: np.ndarray, state: State, memory: Memory | None) -> Step:
        output, hidden = through(self.layers, self.embed(ids), state.hidden)
        return self.dropped(output), None, State(hidden, None)

    def embed(self, ids: np.ndarray) -> Tensor:
        return self.dropped(self.embedding(Tensor(ids)))

    def dropped(self, x: Tensor) -> Tensor:
        return functional.dropout(x, self.dropout, self.training)


class AttentionDecoder(Decoder):
    """Attention after the step, with the new state as the query (Luong et al. 2015).

    vector = tanh(W [context; state]). If it is not fed back, all steps run in one call of the
    recurrent kernel, and all queries are attended to at once. If it is, it stands beside the next
    input, so that the model knows what it looked at before, and steps go one by one.
    """

    def __init__(
        self,
        attention: ScoreAttention,
        cell: str,
        size: int,
        embedding_size: int,
        hidden_size: int,
        num_layers: int,
        dropout: float,
        feeding: bool,
        dtype: npt.DTypeLike,
    ) -> None:
        fed_size = hidden_size if feeding else 0
        super().__init__(
            cell, size, embedding_size, hidden_size, num_layers, dropout, fed_size, dtype
        )
        self.attention = attention
        self.combine = Linear(2 * hidden_size, hidden_size, bias=False, dtype=dtype)
        self.feeding = feeding

    def start(self, hidden: Hidden) -> State:
        first = hidden[0]
        fed = Tensor(np.zeros(first.shape[1:], first.dtype)) if self.feeding else None
        return State(hidden, fed)

    def run(self, ids: np.ndarray, state: State, memory: Memory | None) -> Step:
        x = self.embed(ids)
        if self.feeding:
            return one_by_one(self.step, x, state, memory)
        output, hidden = through(self.layers, x, state.hidden)
        vector, weights = self.look(output, output, memory)
        return vector, weights, State(hidden, None)

    def step(self, x: Tensor, state: State, memory: Memory) -> Step:
        """One step of x (M, E)."""
        assert state.fed is not None
        output, hidden = through(self.layers, cat([x, state.fed], -1).unsqueeze(0), state.hidden)
        vector, weights = self.look(output, output, memory)
        return vector[0], weights[0], State(hidden, vector[0])

    def look(self, query: Tensor, output: Tensor, memory: Memory | None) -> tuple[Tensor, Tensor]:
        """The vectors of outputs (T, M, H), and the weights of the queries."""
        context, weights = self.contexts(query, memory)
        vector = self.combine(cat([context, output], -1)).tanh()
        return self.dropped(vector), weights

    def contexts(self, query: Tensor, memory: Memory | None) -> tuple[Tensor, Tensor]:
        """Attention of queries (T, M, H): all of a sample's at once."""
        assert memory is not None
        steps, rows, size = query.shape
        n = len(memory.lengths)
        each = rows // max(n, 1)
        query = query.reshape(steps, n, each, size).permute(1, 0, 2, 3)
        found = self.attention.attend(query.reshape(n, steps * each, size), memory)
        context, weights = (
            x.reshape(n, steps, each, x.shape[-1])
            .permute(1, 0, 2, 3)
            .reshape(steps, rows, x.shape[-1])
            for x in found
        )
        return context, weights


class BahdanauDecoder(AttentionDecoder):
    """Attention before the step, with the last state as the query (Bahdanau et al. 2015).

    The context stands beside the input of the step, so steps go one by one.
    """

    def start(self, hidden: Hidden) -> State:
        return State(hidden, None)

    def step(self, x: Tensor, state: State, memory: Memory) -> Step:
        context, weights = self.contexts(state.hidden[0][-1:], memory)
        output, hidden = through(self.layers, cat([x.unsqueeze(0), context], -1), state.hidden)
        vector = self.dropped(self.combine(cat([context, output], -1)).tanh())
        return vector[0], weights[0], State(hidden, None)


def one_by_one(
    step: Callable[[Tensor, State, Memory], Step], x: Tensor, state: State, memory: Memory | None
) -> Step:
    """`run` where a step's input depends on the step before; x (T, M, E)."""
    assert memory is not None
    vectors, weights = [], []
    for one in unbind(x):
        vector, share, state = step(one, state, memory)
        vectors.append(vector)
        weights.append(share)
    return stack(vectors), stack(weights), state


def unbind(x: Tensor) -> tuple[Tensor, ...]:
    """The slices along the first axis; their gradients come back in one piece."""
    shape, dtype = x.shape, x.dtype

    def backward(*dys: np.ndarray | None) -> tuple[np.ndarray]:
        dx = np.empty(shape, dtype)
        for place, dy in zip(dx, dys, strict=True):
            place[...] = 0 if dy is None else dy
        return (dx,)

    return record_outputs(tuple(x.data), (x,), backward)
