"""Launches that are checked: no two tasks of one may meet in memory.

Inside `checked_launches()` every kernel under `@parallel` runs first on copies of its arguments,
one task after another and each access recorded, then as always. A byte that one task writes and
another writes or reads is a RaceError; so are an access beside the arrays, and results that differ
from the real launch's in a bit.

Scratch for each thread is private: a thread runs one task at a time. So a kernel that asks for
`thread_id()` runs several times; in run k a task's thread is digit k of its number, in the base of
the number of threads. Two tasks differ in some digit, and in that run they are on two threads.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import kernels
from kernels import _jit
from tests.races import recorder
from tests.races.arena import Arena
from tests.races.source import Marked, marked, recording


class RaceError(AssertionError):
    """Tasks of one launch meet in memory; says where."""


def parallel_kernels() -> dict[str, Any]:
    """All functions under `@parallel`, by module and name."""
    found = {}
    for module in pkgutil.walk_packages(kernels.__path__, "kernels."):
        for value in vars(importlib.import_module(module.name)).values():
            if inspect.isfunction(value) and hasattr(value, "dispatcher"):
                found[kernel_name(value)] = value
    return found


def kernel_name(launch: Any) -> str:
    return f"{launch.__module__.removeprefix('kernels.')}.{launch.__name__}"


class Checker:
    """tasks  the most tasks seen in a launch of each kernel
    edits  changes to the source of kernels, by name
    """

    def __init__(self, edits: dict[str, Callable[[str], str]] | None = None) -> None:
        self.tasks: dict[str, int] = {}
        self._edits = edits or {}
        self._marked: dict[str, Marked] = {}

    def check(self, launch: Any, args: tuple, named: dict[str, Any]) -> None:
        """Raise RaceError unless this launch is free of races; the arguments are left alone."""
        name, function = kernel_name(launch), launch.dispatcher.py_func
        if name not in self._marked:
            self._marked[name] = marked(launch.task, self._edits.get(name))
        kernel = self._marked[name]
        arguments = inspect.signature(function).bind(*args, **named)
        arguments.apply_defaults()
        arena = Arena(arguments.arguments)
        threads = _jit.thread_rows() if kernel.by_thread else recorder.MOST_TASKS
        assert threads > 1, "a checker needs NUMBA_NUM_THREADS of 2 or more"
        results, divisor, most = [], 1, 2
        while divisor < most:
            recorder.start(arena, divisor, threads)
            with recording():
                results.append(arena.launch(kernel.function))
            conflicts, tasks = recorder.stop()
            if conflicts:
                raise RaceError(_told(name, kernel, arena, conflicts))
            divisor, most = divisor * threads, max(2, tasks)
        self.tasks[name] = max(tasks, self.tasks.get(name, 0))
        real, counts = arena.launch(launch.dispatcher), arena.inside
        if kernel.by_thread:
            counts = arena.shared
        for result in results:
            wrong = (result != real) & counts
            if wrong.any():
                where = arena.describe(int(wrong.argmax()))
                raise RaceError(f"{name}: {where} depends on which thread runs which task")


def _told(name: str, kernel: Marked, arena: Arena, conflicts: list[recorder.Conflict]) -> str:
    verbs = "reads", "writes"
    lines = [f"{name}:"]
    for task, other, offset, kinds in conflicts:
        who = f"line {kernel.line}, task {task}"
        what = f"{verbs[kinds & 1]} {arena.describe(offset)}"
        if other >= 0:
            what += f", which task {other} {verbs[kinds >> 1]}"
        lines.append(f"  {who} {what}")
    return "\n".join(lines)


@contextmanager
def checked_launches(checker: Checker | None = None) -> Iterator[Checker]:
    """Every launch is checked, then made. Raises RaceError from within the op that launches.

    >>> import numpy as np
    >>> from kernels import add
    >>> with checked_launches() as checker:
    ...     y = add.forward(np.ones(100_000), np.ones(100_000))
    >>> checker.tasks["add.cpu._add"]
    4
    """
    checker = checker or Checker()
    cells = {}
    for launch in parallel_kernels().values():
        where = launch.__code__.co_freevars.index("dispatcher")
        cells[launch] = launch.__closure__[where]

    def instead(launch: Any) -> Callable:
        def check_then_launch(*args: Any, **named: Any) -> Any:
            checker.check(launch, args, named)
            return launch.dispatcher(*args, **named)

        return check_then_launch

    for launch, cell in cells.items():
        cell.cell_contents = instead(launch)
    try:
        yield checker
    finally:
        for launch, cell in cells.items():
            cell.cell_contents = launch.dispatcher
