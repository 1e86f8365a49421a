"""A kernel compiled to run its tasks one by one, each after a mark."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import llvmlite.binding as llvm

from kernels import _jit
from kernels._compiler.library import Library
from tests.races import recorder
from tests.races.instructions import instrumented

_PREFIX = "checked_for_races_"


class Marked(NamedTuple):
    """function   runs the tasks in turn, and records if it was compiled within `recording`
    line       where the task is defined
    by_thread  whether it asks for the thread's number
    """

    function: Callable
    line: int
    by_thread: bool


class _Marking(ast.NodeTransformer):
    def __init__(self) -> None:
        self.by_thread = False

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        if ast.unparse(node.func).split(".")[-1] == "thread_id":
            self.by_thread = True
            node.func = ast.Name("race_thread", ast.Load())
        return node


def marked(function: Callable, edit: Callable[[str], str] | None = None) -> Marked:
    """Of a task, changed in its source text by `edit` first."""
    source, first = inspect.getsourcelines(function)
    text = textwrap.dedent("".join(source))
    tree = ast.parse(edit(text) if edit else text)
    ast.increment_lineno(tree, first - 1)
    marking = _Marking()
    marking.visit(tree)
    (definition,) = tree.body
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list = []
    names = dict(function.__globals__)
    names["race_thread"] = recorder.thread
    exec(compile(ast.fix_missing_locations(tree), function.__code__.co_filename, "exec"), names)
    arguments = ", ".join(list(inspect.signature(function).parameters)[1:])
    runner = f"""
def {_PREFIX}{function.__name__}(tasks, {arguments}):
    for index in range(tasks):
        race_enter_task(index)
        race_task(index, {arguments})
"""
    names["race_task"] = _jit.compiled(names[definition.name])
    names["race_enter_task"] = recorder.enter_task
    exec(runner, names)
    kernel = _jit.compiled(names[_PREFIX + function.__name__])
    return Marked(kernel, function.__code__.co_firstlineno, marking.by_thread)


@contextmanager
def recording() -> Iterator[None]:
    """What `marked` functions are called in the first time, so that they compile with records."""
    optimize = Library._optimize_final_module

    def optimize_and_instrument(library: Any) -> None:
        optimize(library)
        if _PREFIX in library.name:
            text = instrumented(str(library._final_module))
            library._final_module = llvm.parse_assembly(text)

    Library._optimize_final_module = optimize_and_instrument
    try:
        yield
    finally:
        Library._optimize_final_module = optimize
