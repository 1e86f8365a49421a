"""The networks that are trained: those of `nnet.models`, and one of text."""

from __future__ import annotations

from collections.abc import Callable

import nnet as nn
from nnet import models


class language(nn.Module):
    """Scores of the next symbol at every step, from the symbols (T, N), as (T N, symbols)."""

    def __init__(
        self, cell: str = "LSTM", symbols: int = 64, embedding: int = 64, width: int = 256
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(symbols, embedding)
        self.recurrent = getattr(nn, cell)(embedding, width)
        self.linear = nn.Linear(width, symbols)

    def forward(self, symbols: nn.Tensor) -> nn.Tensor:
        output, _ = self.recurrent(self.embedding(symbols))
        return self.linear(output).flatten(0, 1)


MODELS: dict[str, Callable[..., nn.Module]] = {**models.MODELS, "language": language}
