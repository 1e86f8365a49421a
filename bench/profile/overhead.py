"""What Python costs around a kernel: functional calls on inputs too small to take any time.

On one thread, so that no call waits for another thread to wake.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from timeit import Timer
from types import ModuleType
from typing import Any

import numpy as np

from bench.machine import set_threads
from bench.profile.recorder import Recorder
from bench.report import markdown_table
from kernels import runtime

BUDGET = 15  # microseconds

# So short that some batches of calls pass undisturbed on a machine that does other things too.
CALLS = 20
BATCHES = 20  # a round

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
    """Of one call: the best batch of some rounds."""
    call()
    return min(Timer(call).repeat(rounds * BATCHES, CALLS)) / CALLS * 1e6


def microseconds_in_kernels(call: Callable[[], Any], rounds: int) -> float:
    """Of one call, the least of some; a clock around each launch is included."""
    call()
    best = float("inf")
    with Recorder() as recorder:
        for _ in range(rounds * BATCHES):
            recorder.launches.clear()
            call()
            best = min(best, sum(each.seconds for each in recorder.launches.values()))
    return best * 1e6


def table(rounds: int) -> str:
    """Microseconds a call: this library's, without its kernels, PyTorch's, and the budget."""
    import nnet as nn

    ours = calls(nn.functional, nn.Tensor)
    theirs: dict[str, Callable[[], Any]] = {}
    if importlib.util.find_spec("torch"):
        import torch

        theirs = calls(torch.nn.functional, torch.tensor)
    rows = []
    threads = runtime.get_num_threads()
    set_threads(1)
    try:
        for name, call in ours.items():
            whole = microseconds(call, rounds)
            python = whole - microseconds_in_kernels(call, rounds)
            other = f"{microseconds(theirs[name], rounds):.1f}" if theirs else ""
            kept = "yes" if python <= BUDGET else "no"
            rows.append([name, f"{whole:.1f}", f"{python:.1f}", str(BUDGET), kept, other])
    finally:
        set_threads(threads)
    header = ["function", "nnet us", "of it Python", "budget us", "kept", "torch us"]
    return markdown_table(header, rows)
