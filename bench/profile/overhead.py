"""What Python costs around a kernel: functional calls on inputs too small to take any time."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from timeit import Timer
from types import ModuleType
from typing import Any

import numpy as np

from bench.report import markdown_table

BUDGET = 15  # microseconds
CALLS = 200

# Arrays, requires_grad -> tensor; what differs between the libraries besides the module.
MakeTensor = Callable[..., Any]


def calls(functional: ModuleType, tensor: MakeTensor) -> dict[str, Callable[[], Any]]:
    """Each computes a little and records it."""
    rng = np.random.default_rng(0)

    def leaf(*shape: int) -> Any:
        return tensor(rng.standard_normal(shape, np.float32), requires_grad=True)

    x, other, images = leaf(4, 8), leaf(4, 8), leaf(2, 2, 6, 6)
    weight, bias, filters, offset = leaf(3, 8), leaf(3), leaf(2, 2, 3, 3), leaf(2)
    gamma, beta = leaf(2), leaf(2)
    mean, var = tensor(np.zeros(2, np.float32)), tensor(np.ones(2, np.float32))
    labels = tensor(np.array([0, 3, 7, 1]))
    return {
        "add": lambda: x + other,
        "relu": lambda: functional.relu(x),
        "linear": lambda: functional.linear(x, weight, bias),
        "conv2d": lambda: functional.conv2d(images, filters, offset, padding=1),
        "batch_norm": lambda: functional.batch_norm(images, mean, var, gamma, beta, training=True),
        "max_pool2d": lambda: functional.max_pool2d(images, 2),
        "dropout": lambda: functional.dropout(x, 0.5),
        "cross_entropy": lambda: functional.cross_entropy(x, labels),
    }


def microseconds(call: Callable[[], Any], rounds: int) -> float:
    """Of one call: the best of some rounds."""
    call()
    return min(Timer(call).repeat(rounds, CALLS)) / CALLS * 1e6


def table(rounds: int) -> str:
    """This library's microseconds a call, PyTorch's where it is installed, and the budget."""
    import nnet as nn

    ours = calls(nn.functional, nn.Tensor)
    theirs: dict[str, Callable[[], Any]] = {}
    if importlib.util.find_spec("torch"):
        import torch

        theirs = calls(torch.nn.functional, torch.tensor)
    rows = []
    for name, call in ours.items():
        spent = microseconds(call, rounds)
        other = f"{microseconds(theirs[name], rounds):.1f}" if theirs else ""
        rows.append([name, f"{spent:.1f}", other, str(BUDGET), "yes" if spent <= BUDGET else "no"])
    return markdown_table(["function", "nnet us", "torch us", "budget us", "kept"], rows)
