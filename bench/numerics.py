"""Rounding errors of every op, this library's and PyTorch's, against float64.

    python -m bench.numerics                          # print the table
    python -m bench.numerics --write docs/numerics.md # and the machine, between the page's markers

Inputs are float32 and the same for all. What is exact is this library's own float64, which the
tests hold against NumPy to 1e-12. An error is the root of the mean square of the differences over
that of the exact values, in units of 1e-7, two of float32's roundings; of several gradients the
greatest is shown.
"""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from bench.case import Case, Contender
from bench.cases import CASES
from bench.machine import describe_machine
from bench.report import describe, markdown_table, write_between_markers

BEGIN, END = "<!-- numerics:begin -->", "<!-- numerics:end -->"

# One case for each way in which an op computes.
SHOWN = (
    ("matmul", "NN-512x512x512"),
    ("matmul", "NN-64x256x3136"),
    ("conv2d", "32x64x56x56-64-1x1"),
    ("conv2d", "64x16x14x14-32-5x5-p2"),
    ("conv2d", "32x64x32x32-64-3x3-p1"),
    ("conv2d", "32x64x28x28-64-3x3-p1-g64"),
    ("pool2d", "average-64x32x28x28"),
    ("batch_norm", "32x64x32x32"),
    ("batch_norm", "100x1024"),
    ("group_norm", "layer-4096x1024"),
    ("group_norm", "8-groups-32x64x32x32"),
    ("activation", "sigmoid-64x32x28x28"),
    ("activation", "tanh-64x32x28x28"),
    ("activation", "gelu-64x32x28x28"),
    ("activation", "silu-64x32x28x28"),
    ("activation", "elu-64x32x28x28"),
    ("softmax", "plain-4096x1024"),
    ("softmax", "log-4096x1024"),
    ("softmax_cross_entropy", "256x10000"),
    ("pointwise_loss", "logistic-4096x1024"),
    ("rnn", "28x64x28x128"),
    ("lstm", "28x64x28x128"),
    ("gru", "28x64x28x128"),
    ("attention", "32x4x256x32"),
    ("additive_score", "32x20x20x128"),
    ("embedding", "32x100-of-64x64"),
)


def errors(case: Case) -> dict[str, tuple[float, float]]:
    """For each library the error of the outputs, and the greatest of the gradients."""
    inputs = case.inputs(np.random.default_rng(0))
    exact = _values(case, "nnet", {name: _wide(array) for name, array in inputs.items()})
    names = ("nnet", "torch") if importlib.util.find_spec("torch") else ("nnet",)
    found = {}
    for name in names:
        outputs, gradients = _values(case, name, inputs)
        found[name] = (_greatest(outputs, exact[0]), _greatest(gradients, exact[1]))
    return found


def table(cases: list[Case]) -> str:
    """One row a case; in units of 1e-7."""
    header = ["op", "case", "output", "of PyTorch", "gradients", "of PyTorch"]
    rows = []
    for case in cases:
        found = errors(case)
        ours, theirs = found["nnet"], found.get("torch")
        numbers = [ours[0], theirs and theirs[0], ours[1], theirs and theirs[1]]
        rows.append([case.op, case.name, *("" if n is None else f"{1e7 * n:.2f}" for n in numbers)])
    return markdown_table(header, rows)


def shown_cases() -> list[Case]:
    """Raises ValueError where the list above names a case that is not there."""
    known = {(case.op, case.name): case for cases in CASES.values() for case in cases}
    missing = [name for name in SHOWN if name not in known]
    if missing:
        raise ValueError(f"expected cases of bench/cases, got {missing}")
    return [known[name] for name in SHOWN]


def _values(
    case: Case, name: str, inputs: dict[str, np.ndarray]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Outputs and gradients."""
    contender: Contender = getattr(case.contenders, f"with_{name}")(**inputs, **case.options)
    values = contender.values()
    outputs = contender.forward()[0]
    count = len(outputs) if isinstance(outputs, tuple | list) else 1
    return values[:count], values[count:]


def _wide(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float64) if array.dtype == np.float32 else array


def _greatest(found: list[np.ndarray], exact: list[np.ndarray]) -> float:
    pairs: Any = zip(found, exact, strict=True)
    return max(_norm(one - other) / _norm(other) for one, other in pairs)


def _norm(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.numerics", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--write", type=Path, metavar="FILE", help="write between its markers")
    options = parser.parse_args()
    text = f"{describe(describe_machine())}\n\n{table(shown_cases())}"
    if options.write:
        write_between_markers(options.write, text, BEGIN, END)
    else:
        print(text)


if __name__ == "__main__":
    main()
