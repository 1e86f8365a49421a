"""How the cost of recurrent layers grows: time and memory against steps and against samples.

The exponent p of cost ~ size^p is fitted by least squares over logarithms: 1 is linear. Memory is
the most that forward and backward together hold beside their inputs, by Python's own count.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence

import numpy as np

import kernels
from bench.machine import pinned
from bench.profile.peaks import best
from bench.report import markdown_table, milliseconds, significant
from kernels import _memory

MOST = 1.05

# Gates and states of each.
OPS = {"rnn": (1, 1), "lstm": (4, 2), "gru": (3, 1)}

INPUTS, HIDDEN = 32, 64
FEW_STEPS, FEW_SAMPLES = 20, 4
STEPS = (625, 1250, 2500, 5000, 10_000)
SAMPLES = (64, 128, 256, 512, 1024)


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The p of costs ~ sizes^p.

    >>> round(exponent([1, 2, 4], [3, 12, 48]), 6)
    2.0
    """
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def layer(op: str, steps: int, samples: int) -> Callable[[], object]:
    """Forward and backward of a layer of that many steps and samples."""
    gates, states = OPS[op]
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape, np.float32)

    given = [normal(steps, samples, INPUTS), *(normal(samples, HIDDEN) for _ in range(states))]
    rows = gates * HIDDEN
    given += [normal(rows, size) / HIDDEN**0.5 for size in (INPUTS, HIDDEN)]
    dy = normal(steps, samples, HIDDEN)
    module = getattr(kernels, op)

    def call() -> object:
        _, saved = module.forward(*given)
        return module.backward(dy, *[None] * states, saved)

    return call


def most_held(call: Callable[[], object]) -> int:
    """Bytes."""
    _memory.release()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def table(rounds: int) -> str:
    rows = []
    with pinned():
        for op in OPS:
            for against, sizes in (("steps", STEPS), ("samples", SAMPLES)):
                seconds, held = [], []
                for size in sizes:
                    shape = (size, FEW_SAMPLES) if against == "steps" else (FEW_STEPS, size)
                    call = layer(op, *shape)
                    seconds.append(best(call, rounds))
                    held.append(most_held(call))
                time, memory = exponent(sizes, seconds), exponent(sizes, held)
                rows.append(
                    [
                        op,
                        f"{against} {sizes[0]} to {sizes[-1]}",
                        milliseconds(seconds[-1]),
                        significant(held[-1] / 2**20),
                        f"{time:.3f}",
                        f"{memory:.3f}",
                        f"{MOST}",
                        "yes" if max(time, memory) <= MOST else "no",
                    ]
                )
    header = ["op", "against", "ms", "MiB", "exponent of time", "of memory", "most", "kept"]
    return markdown_table(header, rows)
