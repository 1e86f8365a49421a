"""This tree against another checkout of it: what became faster, what slower?

    python -m bench.compare ../before                  # every case and training step
    python -m bench.compare ../before conv2d softmax --rounds 31

Both trees run in processes of their own, in turn, each thread on a core of its own. A ratio above 1
is a gain. What seems slower than `--limit` allows is measured again in new processes, since where
arrays come to lie may cost a process a tenth for as long as it lives; what is slower in their mean
too is called so, and then the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from statistics import geometric_mean, median
from typing import Any, NamedTuple

from bench.cases import CASES
from bench.figures import TRAINING_STEP
from bench.training_step import TRAININGS

HERE = Path(__file__).resolve().parent.parent

# New pairs of processes for what seems slower.
AGAIN = 5


class Tree:
    """A process that times calls in a checkout."""

    def __init__(self, folder: Path) -> None:
        source = (HERE / "bench" / "timed_tree.py").read_text()
        self._process = subprocess.Popen(
            [sys.executable, "-c", source],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, asked: Any) -> Any:
        assert self._process.stdin and self._process.stdout
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"bench.compare: the process ended while it measured {asked}")
        return json.loads(answer)

    def close(self) -> None:
        with self._process:
            self._process.kill()


class Ratio(NamedTuple):
    """The other tree's seconds over this one's: medians, and best rounds."""

    median: float
    best: float
    seconds: float

    def loses(self, limit: float) -> bool:
        return max(self.median, self.best) < 1 / limit


def ratio_of_new(folder: Path, work: tuple[str, str, str], rounds: int) -> Ratio:
    """The geometric means of the ratios of new processes, two a pair."""
    found = []
    for _ in range(AGAIN):
        with closing(Tree(folder)) as before, closing(Tree(HERE)) as now:
            before.ask(work)
            now.ask(work)
            found.append(ratio(before, now, rounds))
    return Ratio(*map(geometric_mean, zip(*found, strict=True)))


def ratio(before: Tree, now: Tree, rounds: int) -> Ratio:
    seconds: dict[Tree, list[float]] = {before: [], now: []}
    for number in range(rounds):
        for tree in (before, now) if number % 2 else (now, before):
            seconds[tree].append(tree.ask(None))
    a, b = seconds.values()
    return Ratio(median(a) / median(b), min(a) / min(b), median(b))


def compare(folder: Path, ops: list[str], rounds: int, limit: float) -> int:
    """Print a line for each call; how many are slower than the limit allows."""
    with closing(Tree(folder)) as before, closing(Tree(HERE)) as now:
        return _compare(folder, before, now, ops, rounds, limit)


def _compare(
    folder: Path, before: Tree, now: Tree, ops: list[str], rounds: int, limit: float
) -> int:
    slower, ratios = [], []
    for work in _works(ops):
        if not (before.ask(work) and now.ask(work)):
            print(" ".join(work), "is not in both trees")
            continue
        found = ratio(before, now, rounds)
        if found.loses(limit):
            found = ratio_of_new(folder, work, rounds)
        ratios.append(found.median)
        mark = "  SLOWER" if found.loses(limit) else ""
        print(
            f"{found.median:6.3f} {found.best:6.3f} {found.seconds * 1e6:10.1f} us  "
            f"{' '.join(work)}{mark}",
            flush=True,
        )
        slower += [work] * bool(mark)
    if ratios:
        print(f"{geometric_mean(ratios):6.3f} geometric mean of {len(ratios)} medians")
        print(f"{len(slower)} slower than {limit:g} times as long")
    return len(slower)


def _works(ops: list[str]) -> list[tuple[str, str, str]]:
    found = [
        (op, case.name, direction)
        for op, cases in CASES.items()
        for case in cases
        for direction in case.directions
    ]
    found += [(TRAINING_STEP, training.name, "whole step") for training in TRAININGS]
    return [work for work in found if not ops or work[0] in ops]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("tree", type=Path, help="the other checkout")
    parser.add_argument("ops", nargs="*", help="ops, or training_step; all if none is named")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--limit", type=float, default=1.03, help="times as long is still as fast")
    options = parser.parse_args()
    folder = options.tree.resolve()
    if not (folder / "bench" / "cases").is_dir():
        parser.error(f"expected a checkout with bench/cases, got {folder}")
    unknown = set(options.ops) - {*CASES, TRAINING_STEP}
    if unknown:
        parser.error(f"expected ops out of {[*CASES, TRAINING_STEP]}, got {sorted(unknown)}")
    if compare(folder, options.ops, options.rounds, options.limit):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
