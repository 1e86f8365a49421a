"""A classifier of series."""

from typing import Any

from ..autograd.tensor import Tensor
from ..layers.dropout.dropout import Dropout
from ..layers.linear import Linear
from ..module.module import Module
from .cells import recurrent


class SeriesClassifier(Module):
    """Recurrent layers in both directions, the mean of what they say over time, linear.

    channels  measured at each step
    classes   outputs: scores (N, classes)
    hidden    recurrent units a layer and direction
    layers    recurrent layers
    cell      "lstm" or "gru"
    dropout   probability of losing an input of a layer in training, but for the measurements

    Schuster & Paliwal 1997. Raises ValueError for another cell.

    >>> import nnet as nn
    >>> model = nn.models.SeriesClassifier(channels=3, classes=2, hidden=4)
    >>> model(nn.randn(7, 2, 3), nn.tensor([7, 4])).shape
    (2, 2)
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        hidden: int = 64,
        layers: int = 1,
        cell: str = "gru",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.recurrent = recurrent(cell, channels, hidden, layers, dropout, bidirectional=True)
        self.dropout = Dropout(dropout)
        self.linear = Linear(2 * hidden, classes)

    def forward(self, series: Tensor, lengths: Any) -> Tensor:
        """series (T, N, C), lengths (N,) -> scores (N, classes). Padding counts for nothing."""
        outputs, _ = self.recurrent(series, lengths=lengths)
        # Zeros beyond the end of a series.
        mean = outputs.sum(0) / lengths.to(outputs.dtype).unsqueeze(1)
        return self.linear(self.dropout(mean))
