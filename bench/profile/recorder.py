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
            if not name.startswith("kernels."):
                continue
            shared = name.startswith("kernels._")
            for attribute, value in list(vars(module).items()):
                kernel = getattr(value, "dispatcher", value)
                # Of shared modules those that start tasks; the others are called by kernels.
                if isinstance(kernel, Dispatcher) and not (shared and kernel is value):
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
        if not name.startswith("work"):
            moved += _bytes(value) * (2 if name.startswith("inout_") else 1)
    if kernel.startswith("gather_normalize."):
        # A batch of the images, not all of them.
        moved += arguments["out"].size - arguments["images"].nbytes
    return Work(_flops(kernel, arguments), moved)


def _bytes(value: Any) -> int:
    """Of an array, or of all in a tuple."""
    if isinstance(value, tuple):
        return sum(map(_bytes, value))
    return value.nbytes if isinstance(value, np.ndarray) else 0


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
        return _flops_of_convolution(arguments)
    if kernel.startswith(("rnn.", "lstm.", "gru.", "_recurrent.")):
        return _flops_of_recurrence(arguments)
    return 0


def _flops_of_recurrence(arguments: dict[str, Any]) -> int:
    """Every row of a walk meets each packed weight, and of a block what `close_block` says."""
    if "plan_parts" in arguments:
        dx, dih, dhh, _ = arguments["outs"]
        pairs = arguments["columns"][0] * dx.shape[2] if dx.size else 0
        for first, last, inputs, others, _ in arguments["plan_parts"]:
            pairs += (last - first) * (inputs * dih.shape[1] + (others > 0) * dhh.shape[1])
        return 2 * int(arguments["block"][1] * pairs)
    packed = arguments.get("packed", arguments.get("packed_hh", ()))
    weights = packed if isinstance(packed, tuple) else (packed,)
    if arguments.get("ahead"):  # what the inputs add is known
        weights = weights[1:]
    if "low" in arguments:
        rows = (arguments["high"] - arguments["low"]) * arguments["dy"].shape[1]
    else:
        rows = math.prod(arguments["x"].shape[:2]) if weights else 0
    return 2 * rows * sum(weight.size for weight in weights)


def _flops_of_convolution(arguments: dict[str, Any]) -> int:
    """Every tap of each channel and filter of a group meets every position of y, or of dy."""
    x = arguments.get("x", arguments.get("out_dx"))
    y = arguments.get("dy", arguments.get("out_y"))
    if x is None or y is None:  # it packs, or adds up
        return 0
    pairs = 2 * x.shape[0] * x.shape[1] * y.shape[1] // arguments.get("groups", 1)
    if "plan_phases" in arguments:
        taps, _, _, _, rows, columns, *_ = arguments["plan_phases"].T
        return pairs * int((taps * rows * columns).sum())
    positions = math.prod(y.shape[2:])
    if "first" in arguments:  # of some tiles, by Winograd's algorithm
        tiles = x.shape[0] * math.prod(-(-size // 4) for size in y.shape[2:])
        return pairs * positions * 9 * (arguments["last"] - arguments["first"]) // tiles
    if "window" in arguments:
        return pairs * positions * math.prod(arguments["window"][:2])
    offsets = arguments.get("plan_offsets")
    return pairs * positions * arguments.get("area", 9 if offsets is None else offsets.size)
