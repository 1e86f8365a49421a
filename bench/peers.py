"""NumPy, this library and PyTorch side by side, in one process, in turn.

    python -m bench.peers                                  # every op, and training steps
    python -m bench.peers conv2d batch_norm --rounds 31 --scaling --without numpy
    python -m bench.peers gru --add                        # beside the figures kept of other ops
    python -m bench.peers --write bench/RESULTS.md         # the figures kept

Nothing is timed before the contenders' values and gradients were found to agree. All run on the
same number of threads, each thread on a core of its own. Each takes its turn in every round: a
pause, so that idle threads of the others fall asleep, untimed calls until its own are awake, one
timed call. PyTorch's calls go through its autograd and this library's ops are called without a
tape, which favours this library by some microseconds; the training steps, with tape and layers on
both sides, do not.

"of bound" is the time that the counted flops take at the measured peak of the machine, or the
counted bytes at the measured speed of copies of that size, divided by the time measured; of a
training step, the sum over the kernels that it launches. Winograd's convolution needs fewer flops
than are counted, so it may exceed 100 %. Below 1, a ratio is a loss.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from bench import figures as report
from bench.case import Case, Work
from bench.cases import CASES
from bench.figures import PEERS, TRAINING_STEP, Figure
from bench.machine import describe_machine, pinned, set_threads, settle
from bench.profile import peaks
from bench.profile.recorder import record
from bench.report import describe, write_between_markers
from bench.training_step import TRAININGS, Training
from kernels import runtime

LEAST_ROUNDS = 3

# Seconds of untimed calls, several ticks of the kernel's scheduler.
AWAKE = 0.02

# What takes less time is not expected to gain from a second thread.
WORTH_SHARING = 1e-3


def time_in_turn(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Seconds of every timed call."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for call in (*calls.values(), *calls.values()):
        call()
    with pinned():
        for _ in range(rounds):
            for name, call in calls.items():
                settle()
                begin = perf_counter()
                while perf_counter() - begin < AWAKE:
                    call()
                start = perf_counter()
                call()
                seconds[name].append(perf_counter() - start)
    return seconds


def scaling(call: Callable[[], Any], rounds: int) -> float:
    """Seconds on one thread over seconds on as many as there are now."""
    threads = runtime.get_num_threads()

    def on(count: int) -> None:
        runtime.set_num_threads(count)
        call()

    try:
        seconds = time_in_turn({"one": partial(on, 1), "all": partial(on, threads)}, rounds)
    finally:
        runtime.set_num_threads(threads)
    return median(seconds["one"]) / median(seconds["all"])


def compare_case(
    case: Case, contenders: tuple[str, ...], rounds: int, scaled: bool
) -> list[Figure]:
    """One figure a direction. Raises AssertionError where the contenders' values differ."""
    case.check(contenders)
    figures = []
    for direction in case.directions:
        calls = {name: case.call(name, direction) for name in contenders}
        work = case.work(direction)
        names = (case.op, case.name, direction)
        figures.append(
            _figure(names, work, calls, peaks.bound(work), rounds, scaled, case.families)
        )
    return figures


def compare_training_step(
    training: Training, contenders: tuple[str, ...], rounds: int, scaled: bool
) -> list[Figure]:
    """Whole steps: forward, loss, backward, optimizer."""
    steps = {"nnet": training.in_nnet()[1]}
    if "torch" in contenders:
        training.check()
        steps["torch"] = training.in_torch()[1]
    bound = peaks.bound_of_launches(record(steps["nnet"], 1).values())
    names = (TRAINING_STEP, training.name, "whole step")
    return [_figure(names, Work(0, 0), steps, bound, rounds, scaled)]


def _figure(
    names: tuple[str, str, str],
    work: Work,
    calls: dict[str, Callable[[], Any]],
    bound: float,
    rounds: int,
    scaled: bool,
    families: tuple[str, ...] = (),
) -> Figure:
    seconds = time_in_turn(calls, rounds)
    medians = {name: median(times) for name, times in seconds.items()}
    best = {name: min(times) for name, times in seconds.items()}
    shared = scaled and medians["nnet"] > WORTH_SHARING
    gain = scaling(calls["nnet"], rounds) if shared else None
    return Figure(*names, *work, medians, best, bound, gain, families)


def measure(options: argparse.Namespace) -> bool:
    """Print and keep the figures; whether all contenders agreed."""
    installed = (
        ("numpy", "nnet", "torch") if importlib.util.find_spec("torch") else ("numpy", "nnet")
    )
    found = tuple(name for name in installed if name not in options.without)
    if "torch" in found:
        # Before any thread starts, so that it loads its own OpenMP: with the system's, which
        # Numba's threads load, its RNN and GRU wait milliseconds at every step.
        importlib.import_module("torch")
    set_threads(options.threads or runtime.get_num_threads())
    machine = describe_machine()
    print(describe(machine), "\n", flush=True)
    ops = options.ops or (*CASES, TRAINING_STEP)
    kept = _kept(options.json, machine, ops) if options.add else []
    all_figures: list[Figure] = []
    agreed = True
    for op in ops:
        figures: list[Figure] = []
        for compare in _comparisons(op, options.small):
            try:
                figures += compare(found, options.rounds, options.scaling)
            except AssertionError as difference:
                agreed = False
                print(f"no figures: {difference}\n", file=sys.stderr)
        if figures:
            print(report.table(figures), "\n", flush=True)
        all_figures += figures
    for other in found:
        if other != "nnet" and all_figures:
            print(report.losses(all_figures, other), "\n")
    report.save(options.json, machine, options.rounds, kept + all_figures)
    return agreed


def _kept(path: Path, machine: dict[str, Any], ops: Sequence[str]) -> list[Figure]:
    """The figures of other ops in a file. Raises ValueError if another machine made them."""
    if not path.exists():
        return []
    before, figures = report.load(path)
    changed = [name for name in machine if machine[name] != before.get(name)]
    if changed:
        raise ValueError(
            f"{path}: expected figures of this machine and these versions to add to, "
            f"got others in {', '.join(changed)}"
        )
    return [figure for figure in figures if figure.op not in ops]


def _comparisons(op: str, small: bool) -> list[Callable[..., list[Figure]]]:
    """Each compares the contenders on one case of the op."""
    if op == TRAINING_STEP:
        steps = [training for training in TRAININGS if training.small or not small]
        return [partial(compare_training_step, training) for training in steps]
    cases = [case for case in CASES[op] if case.small or not small]
    return [partial(compare_case, case) for case in cases]


def main() -> None:
    options = _options()
    if options.write:
        text = report.report(*report.load(options.json))
        write_between_markers(options.write, text, report.BEGIN, report.END)
    elif not measure(options):
        raise SystemExit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("ops", nargs="*", metavar="OP", help=f"{', '.join(CASES)}, {TRAINING_STEP}")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, help="as many as there are cores")
    parser.add_argument("--small", action="store_true", help="only the cases that tests use")
    parser.add_argument(
        "--without", nargs="+", choices=("numpy", "torch"), default=(), help="leave that one out"
    )
    parser.add_argument(
        "--scaling", action="store_true", help="also time this library on one thread"
    )
    parser.add_argument(
        "--add", action="store_true", help="keep figures of other ops that stand in the file"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", default=PEERS, help=f"keep figures there; {PEERS}"
    )
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="measure nothing: write kept figures into FILE"
    )
    options = parser.parse_args()
    unknown = set(options.ops) - {*CASES, TRAINING_STEP}
    if unknown:
        known = ", ".join((*CASES, TRAINING_STEP))
        parser.error(f"expected ops among {known}, got {', '.join(sorted(unknown))}")
    if options.rounds < LEAST_ROUNDS:
        parser.error(f"expected at least {LEAST_ROUNDS} rounds, got {options.rounds}")
    return options


if __name__ == "__main__":
    main()
