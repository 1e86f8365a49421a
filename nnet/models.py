"""Networks that the command line trains, each a function of plain arguments."""

from collections.abc import Callable

from .activation import ReLU
from .container import Sequential
from .conv import Conv2d
from .dropout import Dropout
from .flatten import Flatten
from .linear import Linear
from .module import Module
from .normalization import BatchNorm1d, BatchNorm2d
from .pooling import MaxPool2d


def mnist_cnn(
    channels: int = 1,
    height: int = 28,
    width: int = 28,
    classes: int = 10,
    filters: int = 32,
    hidden: int = 256,
    dropout: float = 0.4,
) -> Module:
    """Four convolutions of 3x3 and two linear layers, each with batch normalization.

    channels, height, width  of the images, (N, channels, height, width)
    classes                  outputs: scores (N, classes)
    filters                  of the first two convolutions; the last two have twice as many
    hidden                   units between the linear layers
    dropout                  probability of losing a hidden unit in training

    Raises ValueError for images too small to be convolved four times and pooled twice.

    >>> import nnet as nn
    >>> model = nn.models.mnist_cnn(filters=4, hidden=8)
    >>> sum(parameter.numel() for parameter in model.parameters())
    2222
    """
    rows, columns = _left(height), _left(width)
    if min(rows, columns) < 1:
        raise ValueError(f"mnist_cnn: expected images of at least 16x16, got {height}x{width}")
    return Sequential(
        *_convolution(channels, filters),
        *_convolution(filters, filters),
        MaxPool2d(2),
        *_convolution(filters, 2 * filters),
        *_convolution(2 * filters, 2 * filters),
        MaxPool2d(2),
        Flatten(),
        Linear(2 * filters * rows * columns, hidden, bias=False),
        BatchNorm1d(hidden),
        ReLU(),
        Dropout(dropout),
        Linear(hidden, classes),
    )


def _convolution(inputs: int, outputs: int) -> tuple[Module, Module, Module]:
    # The normalization takes any bias away again.
    return Conv2d(inputs, outputs, 3, bias=False), BatchNorm2d(outputs), ReLU()


def _left(side: int) -> int:
    """Of a side after twice two convolutions and a pooling."""
    return ((side - 4) // 2 - 4) // 2


MODELS: dict[str, Callable[..., Module]] = {"mnist_cnn": mnist_cnn}
