"""Decoders that look at the source: after the step, or before it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...autograd.joining import cat, stack
from ...autograd.results import record_outputs
from ...autograd.tensor import Tensor
from ...layers.attention.bahdanau import BahdanauAttention
from ...layers.attention.luong import LuongAttention
from ...layers.attention.score_attention import Memory, ScoreAttention
from ...layers.linear import Linear
from .decoder import Decoder, State, Step
from .encoder import Hidden, through
from .sizes import Sizes


class AttentionDecoder(Decoder):
    """Attention after the step, with the new state as the query (Luong et al. 2015).

    vector = tanh(W [context; state]). If it is not fed back, all steps run in one call of the
    recurrent kernel, and all queries are attended to at once. If it is, it stands beside the next
    input, so that the model knows what it looked at before, and steps go one by one.
    """

    def __init__(self, attention: ScoreAttention, sizes: Sizes, feeding: bool) -> None:
        super().__init__(sizes, sizes.hidden if feeding else 0)
        self.attention = attention
        self.combine = Linear(2 * sizes.hidden, sizes.hidden, bias=False, dtype=sizes.dtype)
        self.feeding = feeding

    def start(self, hidden: Hidden) -> State:
        first = hidden[0]
        fed = Tensor(np.zeros(first.shape[1:], first.dtype)) if self.feeding else None
        return State(hidden, fed)

    def memory_of(self, states: Tensor, lengths: np.ndarray | None) -> Memory:
        keys = states.transpose(0, 1).contiguous()
        return self.attention.prepare(keys, key_lengths=lengths)

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


def decoder_of(
    attention: str | None, local: int | None, input_feeding: bool | None, sizes: Sizes
) -> Decoder:
    """A decoder with the attention of that name, or without."""
    units, dtype = sizes.hidden, sizes.dtype
    if attention is None:
        return Decoder(sizes)
    if attention == "bahdanau":
        return BahdanauDecoder(BahdanauAttention(units, units, units, dtype=dtype), sizes, True)
    product = LuongAttention(units, units, attention, local, dtype=dtype)
    return AttentionDecoder(product, sizes, bool(input_feeding))


def one_by_one(
    step: Callable[[Tensor, State, Memory], Step], x: Tensor, state: State, memory: Memory | None
) -> Step:
    """`run` where a step's input depends on the step before; x (T, M, E)."""
    assert memory is not None
    vectors, weights = [], []
    for one in unbind(x):
        vector, share, state = step(one, state, memory)
        assert share is not None
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
