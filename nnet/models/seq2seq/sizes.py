"""What the two sides of a model are made of."""

from typing import NamedTuple

import numpy.typing as npt

from ...layers.recurrent import GRU, LSTM
from ..cells import recurrent


class Sizes(NamedTuple):
    """Of an encoder or a decoder: see `Seq2Seq`."""

    cell: str
    symbols: int
    embedding: int
    hidden: int
    layers: int
    dropout: float
    dtype: npt.DTypeLike

    def recurrent(self, inputs: int, hidden: int, bidirectional: bool = False) -> GRU | LSTM:
        """The recurrent layers, from so many inputs to so many units a direction."""
        return recurrent(
            self.cell, inputs, hidden, self.layers, self.dropout, bidirectional, self.dtype
        )
