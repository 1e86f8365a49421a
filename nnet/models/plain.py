"""Networks whose layers stand in a row."""

from collections.abc import Sequence

from ..layers.activation import ReLU
from ..layers.convolution.conv import Conv2d
from ..layers.dropout.dropout import Dropout
from ..layers.linear import Linear
from ..layers.normalization.batch_norm import BatchNorm1d, BatchNorm2d
from ..layers.pooling.pooling import MaxPool2d
from ..layers.shape import Flatten
from ..module.container import Sequential
from ..module.module import Module


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
        *_hidden(2 * filters * rows * columns, hidden, dropout),
        Linear(hidden, classes),
    )


def vgg_small(
    channels: int = 3,
    height: int = 32,
    width: int = 32,
    classes: int = 10,
    filters: int = 64,
    hidden: int = 256,
    dropout: float = 0.5,
) -> Module:
    """Three times two convolutions of 3x3 and a pooling, then two linear layers.

    In the manner of Simonyan & Zisserman 2015, for images of 32x32, with batch normalization.

    channels, height, width  of the images, (N, channels, height, width)
    classes                  outputs: scores (N, classes)
    filters                  of the first two convolutions, twice and four times as many later
    hidden                   units between the linear layers
    dropout                  probability of losing a hidden unit in training

    Raises ValueError for images too small to be pooled three times.

    >>> import nnet as nn
    >>> nn.models.vgg_small(filters=4)(nn.ones(2, 3, 32, 32)).shape
    (2, 10)
    """
    rows, columns = height // 8, width // 8
    if min(rows, columns) < 1:
        raise ValueError(f"vgg_small: expected images of at least 8x8, got {height}x{width}")
    layers: list[Module] = []
    for inputs, outputs in (
        (channels, filters),
        (filters, 2 * filters),
        (2 * filters, 4 * filters),
    ):
        layers += _convolution(inputs, outputs, padding=1)
        layers += _convolution(outputs, outputs, padding=1)
        layers.append(MaxPool2d(2))
    return Sequential(
        *layers,
        Flatten(),
        *_hidden(4 * filters * rows * columns, hidden, dropout),
        Linear(hidden, classes),
    )


def mlp(
    inputs: int = 784,
    hidden: Sequence[int] = (1024, 1024),
    classes: int = 10,
    dropout: float = 0.5,
    batch_norm: bool = True,
) -> Module:
    """Linear layers with ReLU between them, and batch normalization and dropout if wanted.

    inputs      features of a sample: (N, inputs), or images (N, ...) of as many numbers
    hidden      units of each hidden layer
    classes     outputs: scores (N, classes)
    dropout     probability of losing a hidden unit in training
    batch_norm  before each ReLU, in place of a bias

    >>> import nnet as nn
    >>> nn.models.mlp(4, [3], 2, batch_norm=False)
    Sequential(
      (0): Flatten(start_dim=1, end_dim=-1)
      (1): Linear(in_features=4, out_features=3, bias=True)
      (2): ReLU()
      (3): Dropout(p=0.5, inplace=False)
      (4): Linear(in_features=3, out_features=2, bias=True)
    )
    """
    layers: list[Module] = [Flatten()]
    for units in hidden:
        layers += _hidden(inputs, units, dropout, batch_norm)
        inputs = units
    return Sequential(*layers, Linear(inputs, classes))


def _convolution(inputs: int, outputs: int, padding: int = 0) -> list[Module]:
    # The normalization takes any bias away again.
    convolution = Conv2d(inputs, outputs, 3, padding=padding, bias=False)
    return [convolution, BatchNorm2d(outputs), ReLU()]


def _hidden(inputs: int, outputs: int, dropout: float, batch_norm: bool = True) -> list[Module]:
    layers: list[Module] = [Linear(inputs, outputs, bias=not batch_norm)]
    if batch_norm:
        layers.append(BatchNorm1d(outputs))
    return [*layers, ReLU(), Dropout(dropout)]


def _left(side: int) -> int:
    """Of a side after twice two convolutions and a pooling."""
    return ((side - 4) // 2 - 4) // 2
