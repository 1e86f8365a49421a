"""What writes the target: the states and the layers of a decoder, and the one without attention."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ... import functional
from ...autograd.tensor import Tensor
from ...layers.attention.score_attention import Memory
from ...layers.embedding import Embedding
from ...layers.linear import Linear
from ...module.module import Module
from .encoder import Hidden, through
from .sizes import Sizes


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

    def __init__(self, sizes: Sizes, fed_size: int = 0) -> None:
        super().__init__()
        self.embedding = Embedding(sizes.symbols, sizes.embedding, dtype=sizes.dtype)
        self.layers = sizes.recurrent(sizes.embedding + fed_size, sizes.hidden)
        self.out = Linear(sizes.hidden, sizes.symbols, dtype=sizes.dtype)
        self.dropout = sizes.dropout

    def start(self, hidden: Hidden) -> State:
        return State(hidden, None)

    def memory_of(self, states: Tensor, lengths: np.ndarray | None) -> Memory | None:
        """What of the encoder's states (S, N, H) is attended to."""
        return None

    def run(self, ids: np.ndarray, state: State, memory: Memory | None) -> Step:
        output, hidden = through(self.layers, self.embed(ids), state.hidden)
        return self.dropped(output), None, State(hidden, None)

    def embed(self, ids: np.ndarray) -> Tensor:
        return self.dropped(self.embedding(Tensor(ids)))

    def dropped(self, x: Tensor) -> Tensor:
        return functional.dropout(x, self.dropout, self.training)
