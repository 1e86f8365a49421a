"""Pairs of texts from a file."""

import os
from pathlib import Path

from ..packed import read_text
from .pairs import Pair
from .tokens import UNITS, tokens_of

__all__ = ["read_pairs"]


def read_pairs(path: str | os.PathLike, unit: str = "characters") -> list[Pair]:
    """Read a file of pairs, source and target with a tab between them, one pair a line.

    unit  "characters" or "words"; white space around a text is dropped

    The file is UTF-8, plain or gzip; blank lines are skipped. Raises FileNotFoundError for a
    missing file; ValueError naming the line for one without a tab, with several, or with a side
    that is empty, and for a file without pairs.

    >>> import nnet as nn, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "pairs.tsv"
    >>> _ = path.write_text("to be\\tsein\\nto see\\tsehen\\n")
    >>> nn.data.read_pairs(path, "words")
    [(['to', 'be'], ['sein']), (['to', 'see'], ['sehen'])]
    """
    if unit not in UNITS:
        raise ValueError(f"read_pairs: expected a unit of {' or '.join(UNITS)}, got {unit!r}")
    pairs = []
    for number, line in enumerate(read_text(Path(path)).split("\n"), 1):
        if not line.strip():
            continue
        sides = line.split("\t")
        if len(sides) != 2:
            raise ValueError(
                f"{path}: expected source, tab, target at line {number}, "
                f"got {len(sides) - 1} tabs in {_short(line)}"
            )
        source, target = (list(tokens_of(side.strip(), unit)) for side in sides)
        if not source or not target:
            raise ValueError(
                f"{path}: expected a source and a target at line {number}, got {_short(line)}"
            )
        pairs.append((source, target))
    if not pairs:
        raise ValueError(f"{path}: expected at least one pair, got blank lines")
    return pairs


def _short(line: str) -> str:
    return repr(line if len(line) <= 60 else line[:57] + "...")
