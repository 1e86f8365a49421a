"""NumPy, this library and PyTorch side by side, in one process, in turn.

    python -m bench.peers                                  # every op, and a training step
    python -m bench.peers conv2d batch_norm --rounds 31 --json peers.json

Nothing is timed before the contenders' values and gradients were found to agree. All run on the
same number of threads. Each takes its turn in every round: a pause, so that idle threads of the
others fall asleep, untimed calls until its own are awake on cores of their own (a thread that
wakes on a busy core waits for milliseconds), one timed call. PyTorch's calls go through
its autograd and this library's ops are called without a tape, which favours this library by
some microseconds; the training step, with tape and layers on both sides, does not.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from bench.case import Case
from bench.cases import CASES
from bench.machine import describe_machine, set_threads, settle
from bench.report import describe, markdown_table, milliseconds, rate
from kernels import _jit

TRAINING_STEP = "training_step"
LEAST_ROUNDS = 3

# Seconds of untimed calls, several ticks of the kernel's scheduler.
AWAKE = 0.02


@dataclass(frozen=True)
class Figure:
    """Seconds of each contender."""

    op: str
    case: str
    direction: str
    flops: int
    bytes: int
    median: dict[str, float]
    best: dict[str, float]


def time_in_turn(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Seconds of every timed call."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
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


def compare_case(case: Case, contenders: tuple[str, ...], rounds: int) -> list[Figure]:
    """One figure a direction. Raises AssertionError where the contenders' values differ."""
    case.check(contenders)
    figures = []
    for direction in case.directions:
        calls = {name: case.call(name, direction) for name in contenders}
        work = case.work(direction)
        seconds = time_in_turn(calls, rounds)
        figures.append(_figure(case.op, case.name, direction, *work, seconds))
    return figures


def compare_training_step(contenders: tuple[str, ...], rounds: int) -> list[Figure]:
    """Steps of the MNIST network in batches of 64: forward, loss, backward, Adam."""
    from bench import training_step

    batch = training_step.batch()
    steps = {"nnet": training_step.nnet_step(*batch)[1]}
    if "torch" in contenders:
        training_step.check_against_torch(*batch)
        steps["torch"] = training_step.torch_step(*batch)[1]
    seconds = time_in_turn(steps, rounds)
    return [_figure(TRAINING_STEP, "mnist_cnn-64", "whole step", 0, 0, seconds)]


def _figure(
    op: str, case: str, direction: str, flops: int, moved: int, seconds: dict[str, list[float]]
) -> Figure:
    medians = {name: median(times) for name, times in seconds.items()}
    return Figure(
        op, case, direction, flops, moved, medians, {n: min(times) for n, times in seconds.items()}
    )


def table(figures: list[Figure]) -> str:
    """Medians, rates, and the ratios of medians and of the best rounds."""
    contenders = list(figures[0].median)
    others = [name for name in contenders if name != "nnet"]
    counted = any(figure.flops for figure in figures)
    header = ["case", "direction", *(f"{name} ms" for name in contenders)]
    header += (
        ["nnet rate"] * counted
        + [f"{name} / nnet" for name in others]
        + [f"{name} / nnet, best" for name in others]
    )
    rows = []
    for figure in figures:
        middle, best = figure.median, figure.best
        speed = []
        if counted:
            speed = [rate(figure.op, figure.flops, figure.bytes, middle["nnet"])]
        rows.append(
            [
                figure.case,
                figure.direction,
                *(milliseconds(middle[name]) for name in contenders),
                *speed,
                *(f"{middle[name] / middle['nnet']:.2f}" for name in others),
                *(f"{best[name] / best['nnet']:.2f}" for name in others),
            ]
        )
    return f"**{figures[0].op}**\n\n{markdown_table(header, rows)}\n"


def main() -> None:
    options = _options()
    contenders = (
        ("numpy", "nnet", "torch") if importlib.util.find_spec("torch") else ("numpy", "nnet")
    )
    if "torch" in contenders:
        importlib.import_module("torch")
    set_threads(options.threads)
    print(describe(describe_machine()), "\n", flush=True)
    figures: list[Figure] = []
    disagreed = False
    for op in options.ops or (*CASES, TRAINING_STEP):
        found: list[Figure] = []
        for compare in _comparisons(op, contenders, options.rounds, options.small):
            try:
                found += compare()
            except AssertionError as difference:
                disagreed = True
                print(f"no figures: {difference}\n", file=sys.stderr)
        if found:
            print(table(found), flush=True)
        figures += found
    if options.json:
        record = {"machine": describe_machine(), "rounds": options.rounds}
        record["figures"] = [asdict(figure) for figure in figures]
        options.json.write_text(json.dumps(record, indent=1) + "\n")
    if disagreed:
        raise SystemExit(1)


def _comparisons(
    op: str, contenders: tuple[str, ...], rounds: int, small: bool
) -> list[Callable[[], list[Figure]]]:
    """Each compares the contenders on one case of the op."""
    if op == TRAINING_STEP:
        return [partial(compare_training_step, contenders, rounds)]
    cases = [case for case in CASES[op] if case.small or not small]
    return [partial(compare_case, case, contenders, rounds) for case in cases]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("ops", nargs="*", metavar="OP", help=f"{', '.join(CASES)}, {TRAINING_STEP}")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=_jit.get_num_threads())
    parser.add_argument("--small", action="store_true", help="only the cases that tests use")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
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
