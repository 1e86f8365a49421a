"""Turn pytest-benchmark's JSON into Markdown tables, or write them into a file.

    python -m bench.report bench/results/latest.json
    python -m bench.report bench/results/latest.json --write bench/RESULTS.md

Medians. Where NumPy is faster the ratio is below 1, and is shown like the others.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bench.case import BOUND_BY_ARITHMETIC

LATEST = Path("bench/results/latest.json")
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first columns are text, and whose others are numbers under their heads.

    >>> print(markdown_table(["case", "ms"], [["a", "1.5"], ["bc", "12"]]))
    | case |  ms |
    |:-----|----:|
    | a    | 1.5 |
    | bc   |  12 |
    """
    rows = [list(row) for row in rows]
    numeric = [
        all(row[i].replace(".", "").replace("-", "").isdigit() or not row[i] for row in rows)
        for i in range(len(header))
    ]
    widths = [max(3, *(len(row[i]) for row in [list(header), *rows])) for i in range(len(header))]
    line = [
        f"| {' | '.join(_pad(*cell) for cell in zip(row, widths, numeric, strict=True))} |"
        for row in [list(header), *rows]
    ]
    rule = [
        "-" * (width + 1) + ":" if number else ":" + "-" * (width + 1)
        for width, number in zip(widths, numeric, strict=True)
    ]
    return "\n".join([line[0], f"|{'|'.join(rule)}|", *line[1:]])


def _pad(text: str, width: int, number: bool) -> str:
    return text.rjust(width) if number else text.ljust(width)


def milliseconds(seconds: float) -> str:
    """Three significant digits.

    >>> milliseconds(0.0012345), milliseconds(0.25), milliseconds(2.5e-6)
    ('1.23', '250', '0.00250')
    """
    return significant(seconds * 1e3)


def significant(number: float) -> str:
    """Three significant digits, without an exponent.

    >>> significant(0.9876), significant(12.345), significant(12345.6)
    ('0.988', '12.3', '12346')
    """
    exponent = int(f"{number:.2e}".partition("e")[2])
    return f"{number:.{max(0, 2 - exponent)}f}"


def rate(op: str, flops: int, moved: int, seconds: float) -> str:
    """What the op is bound by: arithmetic or memory."""
    if op in BOUND_BY_ARITHMETIC:
        return f"{significant(flops / seconds / 1e9)} GFLOP/s"
    return f"{significant(moved / seconds / 1e9)} GB/s"


def describe(machine: dict[str, Any]) -> str:
    """The machine, the threads and the software in one line."""
    skipped = ("processor", "cores", "architecture", "threads", "threading layer", "pinned", "BLAS")
    versions = ", ".join(
        f"{name} {value}" for name, value in machine.items() if name not in skipped
    )
    place = "each on its core" if machine["pinned"] else "not pinned to cores"
    return (
        f"{machine['processor']} ({machine['architecture']}), {machine['cores']} core(s); "
        f"{machine['threads']} thread(s) on {machine['threading layer']}, {place}; {versions}; "
        f"BLAS: {machine['BLAS']}."
    )


def tables(results: dict[str, Any]) -> str:
    """One table an op: milliseconds of NumPy and of this library, rate, and ratio."""
    parts = [describe(results["machine_info"]["nnet"])]
    header = ["case", "direction", "NumPy ms", "nnet ms", "nnet rate", "NumPy / nnet"]
    for op, cases in compared(results).items():
        rows = [_row(op, *names, contenders) for names, contenders in cases.items()]
        parts.append(f"**{op}**\n\n{markdown_table(header, rows)}")
    return "\n\n".join(parts)


def compared(results: dict[str, Any]) -> dict[str, dict[tuple[str, str], dict[str, dict]]]:
    """By op, then by case and direction, what both NumPy and this library were timed at."""
    timed: dict[str, dict[tuple[str, str], dict[str, dict]]] = {}
    for result in results["benchmarks"]:
        info = result["extra_info"]
        cases = timed.setdefault(info["op"], {})
        contenders = cases.setdefault((info["case"], info["direction"]), {})
        contenders[info["contender"]] = info | {"median": result["stats"]["median"]}
    found = {
        op: {names: each for names, each in cases.items() if {"numpy", "nnet"} <= each.keys()}
        for op, cases in timed.items()
    }
    return {op: cases for op, cases in found.items() if cases}


def _row(op: str, case: str, direction: str, contenders: dict[str, dict]) -> list[str]:
    numpy, nnet = contenders["numpy"]["median"], contenders["nnet"]["median"]
    speed = rate(op, contenders["nnet"]["flops"], contenders["nnet"]["bytes"], nnet)
    ratio = f"{numpy / nnet:.2f}"
    return [case, direction, milliseconds(numpy), milliseconds(nnet), speed, ratio]


def joined(several: list[dict]) -> dict:
    """One result of several of one machine; an op's figures are those of the last that has it.

    Raises ValueError if the machines or versions differ.
    """
    machine = several[0]["machine_info"]["nnet"]
    by_op: dict[str, list[dict]] = {}
    for results in several:
        if results["machine_info"]["nnet"] != machine:
            raise ValueError("expected figures of one machine and the same versions, got others")
        ops = dict.fromkeys(result["extra_info"]["op"] for result in results["benchmarks"])
        for op in ops:
            by_op[op] = [r for r in results["benchmarks"] if r["extra_info"]["op"] == op]
    return several[0] | {"benchmarks": [result for found in by_op.values() for result in found]}


def write_between_markers(path: Path, text: str, begin: str = BEGIN, end: str = END) -> None:
    """Replace what stands between the markers. Raises ValueError where they are missing."""
    before, found, rest = path.read_text().partition(begin)
    _, found_too, after = rest.partition(end)
    if not found or not found_too:
        raise ValueError(f"{path}: expected the lines {begin} and {end}")
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.report", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "results", type=Path, nargs="*", default=[LATEST], help="ops in later files replace earlier"
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="write between its markers")
    options = parser.parse_args()
    text = tables(joined([json.loads(path.read_text()) for path in options.results]))
    if options.write:
        write_between_markers(options.write, text)
    else:
        print(text)


if __name__ == "__main__":
    main()
