"""The networks of `nnet_models` in PyTorch, with the same names and arguments."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


def mnist_cnn(dropout: float = 0.4) -> nn.Module:
    return nn.Sequential(
        *_convolution(1, 32),
        *_convolution(32, 32),
        nn.MaxPool2d(2),
        *_convolution(32, 64),
        *_convolution(64, 64),
        nn.MaxPool2d(2),
        nn.Flatten(),
        *_hidden(1024, 256, dropout),
        nn.Linear(256, 10),
    )


def vgg_small(dropout: float = 0.5) -> nn.Module:
    layers: list[nn.Module] = []
    for inputs, outputs in ((3, 64), (64, 128), (128, 256)):
        layers += _convolution(inputs, outputs, padding=1)
        layers += _convolution(outputs, outputs, padding=1)
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), *_hidden(4096, 256, dropout), nn.Linear(256, 10))


def mlp(
    inputs: int = 784,
    hidden: Sequence[int] = (1024, 1024),
    dropout: float = 0.5,
    batch_norm: bool = True,
) -> nn.Module:
    layers: list[nn.Module] = [nn.Flatten()]
    for units in hidden:
        layers += _hidden(inputs, units, dropout, batch_norm)
        inputs = units
    return nn.Sequential(*layers, nn.Linear(inputs, 10))


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inside = self.relu(self.bn1(self.conv1(x)))
        inside = self.bn2(self.conv2(inside))
        inside += x if self.downsample is None else self.downsample(x)
        return self.relu(inside)


class resnet20(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.relu = nn.ReLU(inplace=True)
        self.layer1 = _stage(16, 16, 1)
        self.layer2 = _stage(16, 32, 2)
        self.layer3 = _stage(32, 64, 2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class language(nn.Module):
    def __init__(
        self, cell: str = "LSTM", symbols: int = 64, embedding: int = 64, width: int = 256
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(symbols, embedding)
        self.recurrent = getattr(nn, cell)(embedding, width)
        self.linear = nn.Linear(width, symbols)

    def forward(self, symbols: torch.Tensor) -> torch.Tensor:
        output, _ = self.recurrent(self.embedding(symbols))
        return self.linear(output).flatten(0, 1)


def _stage(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    blocks = Block(inputs, outputs, stride), Block(outputs, outputs, 1), Block(outputs, outputs, 1)
    return nn.Sequential(*blocks)


def _convolution(inputs: int, outputs: int, padding: int = 0) -> list[nn.Module]:
    """In-place ReLU: what PyTorch's users write, and faster."""
    convolution = nn.Conv2d(inputs, outputs, 3, padding=padding, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def _hidden(inputs: int, outputs: int, dropout: float, batch_norm: bool = True) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Linear(inputs, outputs, bias=not batch_norm)]
    if batch_norm:
        layers.append(nn.BatchNorm1d(outputs))
    return [*layers, nn.ReLU(inplace=True), nn.Dropout(dropout)]
