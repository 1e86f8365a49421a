"""What reads the source."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import functional
from ...autograd.tensor import Tensor
from ...layers.embedding import Embedding
from ...layers.recurrent import GRU, LSTM
from ...module.module import Module
from .sizes import Sizes

# The states of all layers, (layers, N, H): h, or h and c.
Hidden = tuple[Tensor, ...]


def through(layers: GRU | LSTM, x: Tensor, hidden: Hidden | None, lengths: Any = None) -> Any:
    """The outputs (T, N, H) of recurrent layers, and the states behind them in a tuple."""
    if isinstance(layers, LSTM):
        return layers(x, hidden, lengths)
    output, h_n = layers(x, None if hidden is None else hidden[0], lengths)
    return output, (h_n,)


class Encoder(Module):
    """Embedding and recurrent layers, in one direction or both.

    Ids (S, N) become states (S, N, hidden_size), and the last states of every layer (layers, N,
    hidden_size). Both directions have half the features each, so that what comes out has the same
    size as from one.
    """

    def __init__(self, sizes: Sizes, bidirectional: bool) -> None:
        super().__init__()
        self.embedding = Embedding(sizes.symbols, sizes.embedding, dtype=sizes.dtype)
        units = sizes.hidden // (1 + bidirectional)
        self.layers = sizes.recurrent(sizes.embedding, units, bidirectional)
        self.dropout = sizes.dropout

    def forward(self, ids: np.ndarray, lengths: np.ndarray | None) -> tuple[Tensor, Hidden]:
        x = functional.dropout(self.embedding(Tensor(ids)), self.dropout, self.training)
        output, hidden = through(self.layers, x, None, lengths)
        return output, tuple(self._both_directions(state) for state in hidden)

    def _both_directions(self, state: Tensor) -> Tensor:
        """Both directions of a layer side by side: (layers, N, H)."""
        if not self.layers.bidirectional:
            return state
        layers, n, size = state.shape[0] // 2, *state.shape[1:]
        return state.reshape(layers, 2, n, size).permute(0, 2, 1, 3).reshape(layers, n, 2 * size)
