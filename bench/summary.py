"""All kept figures in short: whole training steps, and for each op how its ratios lie.

    python -m bench.summary
    python -m bench.summary --write README.md

Reads what `bench.peers` and `pytest bench` have kept; measures nothing.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from bench.figures import PEERS, TRAINING_STEP, Figure, geometric_mean, load
from bench.report import (
    LATEST,
    compared,
    describe,
    markdown_table,
    milliseconds,
    write_between_markers,
)

BEGIN, END = "<!-- summary:begin -->", "<!-- summary:end -->"

Ratios = dict[str, list[float]]


def summary(machine: dict[str, Any], figures: list[Figure], numpy: Ratios) -> str:
    """numpy  times that the NumPy baseline takes, by op; of another run on the same machine"""
    steps = [figure for figure in figures if figure.op == TRAINING_STEP]
    torch: Ratios = {}
    for figure in figures:
        if figure.op != TRAINING_STEP:
            torch.setdefault(figure.op, []).append(figure.ratio("torch"))
    return "\n\n".join([describe(machine), _of_steps(steps), _of_ops(torch, numpy)])


def of_numpy(results: dict[str, Any]) -> Ratios:
    """From pytest-benchmark's JSON, for each op NumPy's medians over this library's."""
    return {
        op: [each["numpy"]["median"] / each["nnet"]["median"] for each in cases.values()]
        for op, cases in compared(results).items()
    }


def _of_steps(steps: list[Figure]) -> str:
    header = ["training step", "nnet ms", "torch ms", "torch / nnet"]
    rows = [
        [
            step.case,
            milliseconds(step.median["nnet"]),
            milliseconds(step.median["torch"]),
            f"{step.ratio('torch'):.2f}",
        ]
        for step in steps
    ]
    return markdown_table(header, rows)


def _of_ops(torch: Ratios, numpy: Ratios) -> str:
    header = ["op", "torch / nnet", "least", "most", "NumPy / nnet", "least", "most"]
    rows = [
        [op, *_mean_and_ends(torch.get(op)), *_mean_and_ends(numpy.get(op))]
        for op in dict.fromkeys([*torch, *numpy])
    ]
    return markdown_table(header, rows)


def _mean_and_ends(ratios: list[float] | None) -> list[str]:
    if not ratios:
        return [""] * 3
    return [f"{number:.2f}" for number in (geometric_mean(ratios), min(ratios), max(ratios))]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.summary", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--peers", type=Path, metavar="FILE", default=PEERS)
    parser.add_argument("--numpy", type=Path, metavar="FILE", default=LATEST)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write between its markers")
    options = parser.parse_args()
    machine, figures = load(options.peers)
    results = json.loads(options.numpy.read_text())
    if results["machine_info"]["nnet"] != machine:
        raise ValueError("expected figures of one machine and the same versions, got others")
    text = summary(machine, figures, of_numpy(results))
    if options.write:
        write_between_markers(options.write, text, BEGIN, END)
    else:
        print(text)


if __name__ == "__main__":
    main()
