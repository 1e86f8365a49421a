"""Clock every launch of a kernel from Python, and count what it had to do."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np
from numba.core.dispatcher import Dispatcher

from bench.case import Work


@dataclass
class Launches:
    """All launches of one kernel."""

    calls: int = 0
    seconds: float = 0.0
    work: Work = field(default_factory=lambda: Work(0, 0))


class Recorder:
    """Within `with`, kernels that ops call are clocked: `launches` by the kernel's name.

    What is to be recorded must have run before: a kernel cannot be compiled while those that
    it calls are being watched.
    """

    def __init__(self) -> None:
        self.launches: dict[str, Launches] = {}
        self._replaced: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> Recorder:
        for name, module in list(sys.modules.items()):
            if not name.startswith("kernels.") or name.startswith("kernels._"):
                continue
            for attribute, value in list(vars(module).items()):
                kernel = getattr(value, "dispatcher", value)
                if isinstance(kernel, Dispatcher):
                    self._replaced.append((module, attribute, value))
                    setattr(module, attribute, self._clocked(value, kernel.py_func))
        return self

    def __exit__(self, *error: object) -> None:
        for module, attribute, value in reversed(self._replaced):
            setattr(module, attribute, value)
        self._replaced.clear()

    def _clocked(self, launch: Callable, function: Callable) -> Callable:
        name = f"{function.__module__.removeprefix('kernels.')}.{function.__name__}"
        signature = inspect.signature(function)

        def clocked(*args: Any, **named: Any) -> Any:
            start = perf_counter()
            result = launch(*args, **named)
            seconds = perf_counter() - start
            record = self.launches.setdefault(name, Launches())
            record.calls += 1
            record.seconds += seconds
            record.work += counted(name, signature.bind(*args, **named).arguments)
            return result

        return clocked


def record(call: Callable[[], object], rounds: int) -> dict[str, Launches]:
    """The launches of all rounds, after one that compiles."""
    call()
    with Recorder() as recorder:
        for _ in range(rounds):
            call()
    return recorder.launches


def counted(kernel: str, arguments: dict[str, Any]) -> Work:
    """What a launch cannot do without, from its arguments and the names they have by contract.

    All arrays that are no scratch are moved once, those updated in place twice. Flops are
    counted for products, convolutions and recurrent layers: the others are bound by memory.
    """
    moved = 0
    for name, value in arguments.items():
        if isinstance(value, np.ndarray) and not name.startswith("work"):
            moved += value.nbytes * (2 if name.startswith("inout_") else 1)
    if kernel.startswith("gather_normalize."):
        # A batch of the images, not all of them.
        moved += arguments["out"].size - arguments["images"].nbytes
    return Work(_flops(kernel, arguments), moved)


def _flops(kernel: str, arguments: dict[str, Any]) -> int:
    if kernel.startswith("matmul."):
        if not {"a", "b"} <= set(arguments):  # it packs
            return 0
        depth = arguments["a"].shape[-2 if arguments.get("transpose_a") else -1]
        if "dy" in arguments:
            wanted = sum(arguments[name].size > 0 for name in ("out_da", "out_db"))
            return 2 * wanted * arguments["dy"].size * depth
        y = arguments["inout_y"] if "inout_y" in arguments else arguments["out_y"]
        return 2 * y.size * depth
    if kernel.startswith("conv2d."):
        weight = arguments.get("weight", arguments.get("out_dweight"))
        # Every weight meets every position of the output side, whose gradient is dy.
        outputs = arguments.get("x" if arguments.get("transposed") else "out_y")
        outputs = arguments.get("dy", outputs)
        if weight is None or outputs is None:
            return 0
        return 2 * outputs.shape[0] * math.prod(outputs.shape[2:]) * weight.size
    if kernel.startswith(("rnn.", "lstm.", "gru.")) and "weight_hh" in arguments:
        weights = sum(v.size for name, v in arguments.items() if name.startswith("weight_"))
        # Back, each weight meets each step twice: for the gradient in front of it, and its own.
        return 2 * math.prod(arguments["x"].shape[:2]) * weights * (1 + ("dy" in arguments))
    return 0
