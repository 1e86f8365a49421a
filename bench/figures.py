"""What was measured side by side: figures, their tables, and the JSON that keeps them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.report import describe, markdown_table, milliseconds, rate

PEERS = Path("bench/results/peers.json")
BEGIN, END = "<!-- peers:begin -->", "<!-- peers:end -->"

# What whole steps are called where figures are named after ops.
TRAINING_STEP = "training_step"


@dataclass(frozen=True)
class Figure:
    """Seconds of each contender at one case in one direction.

    bound     seconds that the counted flops or bytes take at the machine's measured peaks
    scaling   this library's seconds on one thread over those on all; None if not measured
    families  cases whose ratios are also given as one geometric mean
    """

    op: str
    case: str
    direction: str
    flops: int
    bytes: int
    median: dict[str, float]
    best: dict[str, float]
    bound: float
    scaling: float | None = None
    families: tuple[str, ...] = ()

    def ratio(self, other: str) -> float:
        """How many times as long as this library's median the other's is."""
        return self.median[other] / self.median["nnet"]


def table(figures: list[Figure]) -> str:
    """Medians, what this library makes of the machine, and ratios of medians and of best rounds.

    A row beneath for each family: geometric means of the ratios. Where a figure is below 1, the
    other contender is faster.
    """
    contenders = list(figures[0].median)
    others = [name for name in contenders if name != "nnet"]
    counted = any(figure.flops or figure.bytes for figure in figures)
    scaled = any(figure.scaling is not None for figure in figures)
    header = [
        "case",
        "direction",
        *(f"{name} ms" for name in contenders),
        *(["nnet rate"] * counted),
        "of bound %",
        *(["1 thread / all"] * scaled),
        *(f"{name} / nnet" for name in others),
        *(f"{name} / nnet, best" for name in others),
    ]
    rows = []
    for figure in figures:
        middle, best = figure.median, figure.best
        speed = rate(figure.op, figure.flops, figure.bytes, middle["nnet"]) if counted else ""
        scaling = "" if figure.scaling is None else f"{figure.scaling:.2f}"
        rows.append(
            [
                figure.case,
                figure.direction,
                *(milliseconds(middle[name]) for name in contenders),
                *([speed] * counted),
                f"{100 * figure.bound / middle['nnet']:.0f}",
                *([scaling] * scaled),
                *(f"{figure.ratio(name):.2f}" for name in others),
                *(f"{best[name] / best['nnet']:.2f}" for name in others),
            ]
        )
    blank = [""] * (len(header) - 2 - 2 * len(others))
    for family, direction, members in _families(figures):
        middles = (f"{geometric_mean(each.ratio(name) for each in members):.2f}" for name in others)
        bests = (
            geometric_mean(each.best[name] / each.best["nnet"] for each in members)
            for name in others
        )
        means = [*middles, *(f"{mean:.2f}" for mean in bests)]
        rows.append([f"geometric mean: {family}", direction, *blank, *means])
    return f"**{figures[0].op}**\n\n{markdown_table(header, rows)}"


def losses(figures: list[Figure], other: str) -> str:
    """How often the other contender was faster, and where."""
    compared = [figure for figure in figures if other in figure.median]
    lost = sorted(
        (figure for figure in compared if figure.ratio(other) < 1),
        key=lambda figure: figure.ratio(other),
    )
    where = "; ".join(
        f"{figure.op} {figure.case} {figure.direction} {figure.ratio(other):.2f}" for figure in lost
    )
    text = f"Against {other}: faster in {len(compared) - len(lost)} of {len(compared)} figures"
    return f"{text}, slower in: {where}." if lost else f"{text}."


def report(machine: dict[str, Any], figures: list[Figure]) -> str:
    """The machine, a table for each op, and where others are faster."""
    by_op: dict[str, list[Figure]] = {}
    for figure in figures:
        by_op.setdefault(figure.op, []).append(figure)
    others = dict.fromkeys(name for figure in figures for name in figure.median if name != "nnet")
    return "\n\n".join(
        [
            describe(machine),
            *map(table, by_op.values()),
            *(losses(figures, name) for name in others),
        ]
    )


def save(path: Path, machine: dict[str, Any], rounds: int, figures: list[Figure]) -> None:
    record = {"machine": machine, "rounds": rounds, "figures": [asdict(each) for each in figures]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n")


def load(path: Path) -> tuple[dict[str, Any], list[Figure]]:
    """What `save` wrote: the machine and the figures."""
    record = json.loads(path.read_text())
    figures = [
        Figure(**figure | {"families": tuple(figure["families"])}) for figure in record["figures"]
    ]
    return record["machine"], figures


def _families(figures: list[Figure]) -> list[tuple[str, str, list[Figure]]]:
    """Family, direction and members; a family of one says nothing new."""
    found: dict[tuple[str, str], list[Figure]] = {}
    for figure in figures:
        for family in figure.families:
            found.setdefault((family, figure.direction), []).append(figure)
    return [(*key, members) for key, members in found.items() if len(members) > 1]


def geometric_mean(ratios: Iterable[float]) -> float:
    logarithms = [math.log(ratio) for ratio in ratios]
    return math.exp(sum(logarithms) / len(logarithms))
