"""What one planted fault is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Mutation(NamedTuple):
    """`old`, found once in `file`, becomes `new`; then `test` must fail.

    file  from the root of the tree
    test  as pytest names it; with one set of parameters alone where that saves minutes
    """

    name: str
    file: str
    old: str
    new: str
    test: str

    def found(self) -> int:
        """How often the old text is there: once, unless the table has to be brought up to date."""
        path = ROOT / self.file
        return path.read_text().count(self.old) if path.exists() else 0

    @contextmanager
    def planted(self, root: Path) -> Iterator[None]:
        """The fault in the file below `root`, and what was there again behind."""
        path = root / self.file
        text = path.read_text()
        path.write_text(text.replace(self.old, self.new))
        try:
            yield
        finally:
            path.write_text(text)
