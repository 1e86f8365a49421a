"""Memory of whole training steps, in this library and in PyTorch, each in a process of its own.

    python -m bench.memory_use
    python -m bench.memory_use mnist_cnn-batch64 --steps 50

"peak" is the largest resident size of the process, interpreter and libraries included. "training
adds" is the part of it that came after a few steps on a batch of 2, when kernels were loaded and
threads running: the parameters' copies, the activations, the gradients. "faults a step" are
minor page faults of warm steps: pages that were asked from the operating system anew.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.report import markdown_table
from bench.training_step import TRAININGS, Training

LEAST_BATCH = 2
WARM_UP = 5


@dataclass(frozen=True)
class Memory:
    """Bytes, and page faults a step."""

    peak: int
    added: int
    faults: float


def measure(training: Training, library: str, steps: int = 10) -> Memory:
    """Train in a fresh process; `library` is "nnet" or "torch". For Linux."""
    command = [sys.executable, "-m", "bench.memory_use", training.name]
    child = subprocess.run(
        [*command, "--steps", str(steps), "--inside", library],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return Memory(**json.loads(child.stdout))


def measure_here(training: Training, library: str, steps: int) -> Memory:
    """In this process, which should have done nothing before."""
    prepare = training.in_nnet if library == "nnet" else training.in_torch
    _run(prepare(LEAST_BATCH)[1], WARM_UP)
    gc.collect()
    before = _status("VmRSS")
    step = prepare()[1]
    _run(step, WARM_UP)
    faults = _faults()
    _run(step, steps)
    faults = _faults() - faults
    peak = _status("VmHWM")
    return Memory(peak, peak - before, faults / steps)


def _run(step: Callable[[], object], times: int) -> None:
    for _ in range(times):
        step()


def _faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def _status(field: str) -> int:
    """Bytes of a line of /proc/self/status."""
    lines = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return 1024 * int(lines[field].split()[0])


def main() -> None:
    names = {training.name: training for training in TRAININGS}
    parser = argparse.ArgumentParser(prog="python -m bench.memory_use", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("steps_of", nargs="*", metavar="TRAINING", help=", ".join(names))
    parser.add_argument("--steps", type=int, default=10, help="counted, after a warm-up")
    parser.add_argument("--inside", choices=("nnet", "torch"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := set(options.steps_of) - set(names):
        parser.error(f"expected trainings among {', '.join(names)}, got {', '.join(unknown)}")
    chosen = options.steps_of or list(names)
    if options.inside:
        found = measure_here(names[chosen[0]], options.inside, options.steps)
        print(json.dumps(asdict(found)))
        return
    libraries = ("nnet", "torch") if importlib.util.find_spec("torch") else ("nnet",)
    rows = []
    for name in chosen:
        for library in libraries:
            memory = measure(names[name], library, options.steps)
            sizes = (f"{size / 2**20:.0f}" for size in (memory.peak, memory.added))
            rows.append([name, library, *sizes, f"{memory.faults:.1f}"])
    header = ["training", "library", "peak MiB", "training adds MiB", "faults a step"]
    print(markdown_table(header, rows))


if __name__ == "__main__":
    main()
