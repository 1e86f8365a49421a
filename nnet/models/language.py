"""A model of text: what symbol comes next."""

from typing import Any

from ..autograd.tensor import Tensor
from ..layers.dropout.dropout import Dropout
from ..layers.embedding import Embedding
from ..layers.linear import Linear
from ..module.module import Module
from .cells import recurrent


class LanguageModel(Module):
    """Scores of the symbol after each of a text: embedding, recurrent layers, linear.

    symbols    of the vocabulary, V
    embedding  numbers that stand for a symbol
    hidden     recurrent units a layer
    layers     recurrent layers
    cell       "lstm" or "gru"
    dropout    probability of losing an input of a layer in training

    Mikolov et al. 2010; dropout between layers, not between steps, as in Zaremba et al. 2014.

    Raises ValueError for another cell.

    >>> import nnet as nn
    >>> model = nn.models.LanguageModel(symbols=65, hidden=8)
    >>> scores, state = model(nn.tensor([[3], [1], [4]]))
    >>> scores.shape
    (3, 1, 65)
    """

    def __init__(
        self,
        symbols: int,
        embedding: int = 64,
        hidden: int = 256,
        layers: int = 1,
        cell: str = "lstm",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.embedding = Embedding(symbols, embedding)
        self.recurrent = recurrent(cell, embedding, hidden, layers, dropout)
        self.dropout = Dropout(dropout)
        self.linear = Linear(hidden, symbols)

    def forward(self, ids: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """ids (T, N) -> scores (T, N, V) and the state behind the last step.

        state  of the text before, None for its beginning
        """
        outputs, state = self.recurrent(self.dropout(self.embedding(ids)), state)
        return self.linear(self.dropout(outputs)), state
