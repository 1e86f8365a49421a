"""What the contenders of recurrent layers share: only their NumPy is different."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from bench.case import Contender


def with_nnet(kernel: ModuleType, dy: np.ndarray, **arrays: np.ndarray) -> Contender:
    """arrays  x, the states, the weights, named and in the order of `kernel.forward`"""
    no_gradients = [None] * len(_states(arrays))

    def forward():
        (y, *_), saved = kernel.forward(**arrays)
        return y, saved

    def backward(saved):
        return kernel.backward(dy, *no_gradients, saved)[: len(arrays)]

    return Contender(forward, backward)


def with_torch(layer: Callable[..., Any], dy: np.ndarray, **arrays: np.ndarray) -> Contender:
    """layer  torch.rnn_tanh, torch.gru or torch.lstm; states have an axis of layers there"""
    import torch

    states = _states(arrays)
    leaves = [
        torch.tensor(array[None] if name in states else array, requires_grad=True)
        for name, array in arrays.items()
    ]
    gradient = torch.tensor(dy)

    def forward():
        x, *given = leaves
        before = given[: len(states)]
        h = before[0] if len(before) == 1 else before
        y, *_ = layer(x, h, given[len(states) :], True, 1, 0.0, True, False, False)
        return y, y

    def backward(y):
        gradients = torch.autograd.grad(y, leaves, gradient)
        return [
            each[0] if name in states else each
            for name, each in zip(arrays, gradients, strict=True)
        ]

    return Contender(forward, backward)


def _states(arrays: dict[str, np.ndarray]) -> list[str]:
    return [name for name in arrays if name in ("h0", "c0")]
