"""A whole training step of the MNIST network, in this library and in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import nnet as nn
from bench.case import assert_agree
from nnet import optim
from nnet.models import mnist_cnn

BATCH = 64
LR = 1e-3


def batch(size: int = BATCH) -> tuple[np.ndarray, np.ndarray]:
    """Images as the loader yields them, normalized, and labels."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((size, 1, 28, 28), np.float32), rng.integers(0, 10, size)


def nnet_step(images: np.ndarray, labels: np.ndarray, dropout: float = 0.4) -> tuple[Any, Callable]:
    """The model, and what trains it by one step and returns the loss."""
    nn.manual_seed(0)
    model = mnist_cnn(dropout=dropout)
    optimizer = optim.Adam(model.parameters(), lr=LR)
    x, targets = nn.from_numpy(images), nn.from_numpy(labels)

    def step():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    return model, step


def torch_step(
    images: np.ndarray, labels: np.ndarray, dropout: float = 0.4
) -> tuple[Any, Callable]:
    """The same network and optimizer, fused, in PyTorch."""
    import torch

    def convolution(inputs, outputs):
        layer = torch.nn.Conv2d(inputs, outputs, 3, bias=False)
        return layer, torch.nn.BatchNorm2d(outputs), torch.nn.ReLU()

    model = torch.nn.Sequential(
        *convolution(1, 32),
        *convolution(32, 32),
        torch.nn.MaxPool2d(2),
        *convolution(32, 64),
        *convolution(64, 64),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(1024, 256, bias=False),
        torch.nn.BatchNorm1d(256),
        torch.nn.ReLU(),
        torch.nn.Dropout(dropout),
        torch.nn.Linear(256, 10),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=LR, fused=True)
    x, targets = torch.tensor(images), torch.tensor(labels)

    def step():
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    return model, step


def check_against_torch(images: np.ndarray, labels: np.ndarray) -> None:
    """From the same weights: the same loss, gradients and statistics, but for rounding.

    Without dropout, whose masks differ.
    """
    import torch

    ours, our_step = nnet_step(images, labels, dropout=0)
    theirs, their_step = torch_step(images, labels, dropout=0)
    state = {name: np.array(_array(value)) for name, value in ours.state_dict().items()}
    theirs.load_state_dict({name: torch.tensor(value) for name, value in state.items()})
    our_loss, their_loss = np.array(our_step()), np.array(their_step())
    assert_agree("training step: loss", our_loss, their_loss, 1e-5)
    other = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        gradient = other[name].grad.numpy()
        assert_agree(f"training step: gradient of {name}", _array(parameter.grad), gradient, 1e-3)
    for name, value in theirs.named_buffers():
        found = _array(dict(ours.named_buffers())[name])
        assert_agree(f"training step: {name}", found, value.numpy(), 1e-4)


def _array(value: Any) -> np.ndarray:
    return value if isinstance(value, np.ndarray) else value.detach().numpy()
