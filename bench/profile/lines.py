"""The Python side of a training step, line by line."""

from __future__ import annotations

import linecache
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

from line_profiler import LineProfiler

from bench.report import markdown_table

_ROOT = Path(__file__).parents[2]


def profile_lines(step: Callable[[], object], steps: int, top: int) -> str:
    """The `top` lines of `nnet` and of the ops by time, that of what they call included."""
    step()
    profiler = LineProfiler()
    with warnings.catch_warnings():
        # Of functions that line_profiler finds twice, or cannot look into.
        warnings.simplefilter("ignore")
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] in ("nnet", "kernels"):
                profiler.add_module(module)
    profiler.enable_by_count()
    try:
        for _ in range(steps):
            step()
    finally:
        profiler.disable_by_count()
    stats = profiler.get_stats()
    lines = [
        (time * stats.unit, hits, Path(path), number)
        for (path, _, _), timings in stats.timings.items()
        for number, hits, time in timings
    ]
    rows = [
        [
            f"{seconds / steps * 1e6:.0f}",
            f"{hits / steps:.0f}",
            f"{_short(path)}:{number}",
            linecache.getline(str(path), number).strip().replace("|", "\\|")[:70],
        ]
        for seconds, hits, path, number in sorted(lines, reverse=True)[:top]
    ]
    return markdown_table(["us a step", "hits", "where", "line"], rows)


def _short(path: Path) -> str:
    return str(path.relative_to(_ROOT)) if path.is_relative_to(_ROOT) else path.name
