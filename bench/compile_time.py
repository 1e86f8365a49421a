"""What compiling costs: seconds of each op's first call, without and with the cache on disk.

    python -m bench.compile_time
    python -m bench.compile_time conv2d matmul
    python -m bench.compile_time --budgets         # starting, and the first training step

Every op runs in processes of its own: the first finds an empty cache and compiles, the second
loads what the first left behind. The threads are started beforehand, and the seconds of a
second, warm call are subtracted.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from time import perf_counter, process_time
from typing import Any

from bench.cases import CASES
from bench.machine import describe_machine
from bench.report import describe, markdown_table
from bench.training_step import MNIST_CNN
from kernels import runtime

Seconds = dict[str, float]

# Budgets, seconds: of the first training step as the clock shows it, and of the processor's work.
COMPILED, WORKED, LOADED, IMPORTED, WARMED = 20.0, 22.0, 1.0, 0.8, 60.0
REPEATS = 5

_IMPORT = """
from time import perf_counter
start = perf_counter()
import nnet
print(perf_counter() - start)
"""

_WARM_UP = """
from time import perf_counter
from nnet.warmup import warm_up
start = perf_counter()
warm_up()
print(perf_counter() - start)
"""


def first_calls(op: str) -> dict[str, Seconds]:
    """In this process: variant -> seconds that its first forward and backward took longer."""
    runtime.threading_layer()
    found: dict[str, Seconds] = {}
    for case in CASES[op]:
        if not case.small or case.variant in found:
            continue
        contender = case.contender("nnet")
        seconds, (_, saved) = _extra_seconds(contender.forward)
        found[case.variant] = {"forward": seconds}
        if contender.backward is not None:
            backward = partial(contender.backward, saved)
            found[case.variant]["backward"] = _extra_seconds(backward)[0]
    return found


def _extra_seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    times = []
    for _ in range(2):
        start = perf_counter()
        result = call()
        times.append(perf_counter() - start)
    return max(0.0, times[0] - times[1]), result


def in_fresh_process(op: str, cache: str) -> dict[str, Seconds]:
    """`first_calls` with the kernels' cache under that folder."""
    command = [sys.executable, "-m", "bench.compile_time", "--first-calls", op]
    child = subprocess.run(
        command, env=_environment(cache), stdout=subprocess.PIPE, check=True, text=True
    )
    return json.loads(child.stdout)


def measure(op: str) -> list[list[str]]:
    """Rows of the table."""
    with tempfile.TemporaryDirectory() as cache:
        compiled, loaded = in_fresh_process(op, cache), in_fresh_process(op, cache)
    return [
        [
            f"{op} {variant}".strip(),
            *_pair(seconds),
            *_pair(loaded[variant]),
        ]
        for variant, seconds in compiled.items()
    ]


def _pair(seconds: Seconds) -> list[str]:
    backward = seconds.get("backward")
    return [f"{seconds['forward']:.2f}", "" if backward is None else f"{backward:.2f}"]


def first_step() -> tuple[float, float]:
    """In this process: seconds of the first training step of the MNIST network, and of work."""
    _, step = MNIST_CNN.in_nnet()
    start, worked = perf_counter(), process_time()
    step()
    return perf_counter() - start, process_time() - worked


def budgets() -> list[list[str]]:
    """Rows of what is promised: seconds measured and allowed, each in fresh processes."""
    with tempfile.TemporaryDirectory() as cache:
        command = ["-m", "bench.compile_time", "--first-step"]
        compiled, worked = _seconds(command, cache)
        loaded = min(_seconds(command, cache)[0] for _ in range(REPEATS))
        command = ["-c", _IMPORT]
        imported = min(_seconds(command, cache)[0] for _ in range(REPEATS))
    with tempfile.TemporaryDirectory() as cache:
        (warmed,) = _seconds(["-c", _WARM_UP], cache)
    return [
        [name, f"{seconds:.2f}", f"{budget:.1f}", "yes" if seconds <= budget else "no"]
        for name, seconds, budget in (
            ("first training step, nothing compiled", compiled, COMPILED),
            ("the same, of one processor", worked, WORKED),
            ("first training step, all compiled", loaded, LOADED),
            ("import nnet", imported, IMPORTED),
            ("nnet warmup, nothing compiled", warmed, WARMED),
        )
    ]


def _seconds(arguments: list[str], cache: str) -> list[float]:
    """What a fresh process prints in its last line."""
    command = [sys.executable, *arguments]
    child = subprocess.run(
        command, env=_environment(cache), stdout=subprocess.PIPE, check=True, text=True
    )
    return [float(each) for each in child.stdout.splitlines()[-1].split()]


def _environment(cache: str) -> dict[str, str]:
    return os.environ | {"XDG_CACHE_HOME": cache, "LOCALAPPDATA": cache}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.compile_time", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("ops", nargs="*", metavar="OP", help=", ".join(CASES))
    parser.add_argument("--first-calls", metavar="OP", help=argparse.SUPPRESS)
    parser.add_argument("--first-step", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--budgets", action="store_true", help="only what is promised to users")
    options = parser.parse_args()
    if options.first_calls:
        print(json.dumps(first_calls(options.first_calls)))
        return
    if options.first_step:
        print(*first_step())
        return
    unknown = set(options.ops) - set(CASES)
    if unknown:
        parser.error(f"expected ops among {', '.join(CASES)}, got {', '.join(sorted(unknown))}")
    if options.budgets:
        header, rows = ["what", "seconds", "budget s", "kept"], budgets()
    else:
        header = [
            "kernel",
            "compiling, forward s",
            "backward s",
            "from the cache, forward s",
            "backward s",
        ]
        rows = [row for op in options.ops or CASES for row in measure(op)]
    print(
        describe(describe_machine() | {"pinned": False}), markdown_table(header, rows), sep="\n\n"
    )


if __name__ == "__main__":
    main()
