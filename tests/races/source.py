"""A kernel with a mark at each task of its parallel loops, compiled to run them one by one."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import llvmlite.binding as llvm
import numba
from numba.core.codegen import JITCodeLibrary

from kernels import _jit
from tests.races import recorder
from tests.races.instructions import instrumented

_PREFIX = "checked_for_races_"


class Marked(NamedTuple):
    """function   runs the tasks in turn, and records if it was compiled within `recording`
    lines      of the parallel loops, in order
    by_thread  whether it asks for the thread's number
    """

    function: Callable
    lines: list[int]
    by_thread: bool


def _called(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == name


class _Marking(ast.NodeTransformer):
    def __init__(self) -> None:
        self.lines: list[int] = []
        self.by_thread = False
        self._within = False

    def visit_For(self, node: ast.For) -> Any:
        if not _called(node.iter, "prange"):
            return self.generic_visit(node)
        assert isinstance(node.iter, ast.Call)
        node.iter.func = ast.Name("range", ast.Load())
        if self._within:  # one thread runs it, as part of its task
            return self.generic_visit(node)
        loop = len(self.lines)
        self.lines.append(node.lineno)
        self._within = True
        self.generic_visit(node)
        self._within = False
        begin = ast.parse(f"race_enter_task({loop}, {ast.unparse(node.target)})").body
        node.body = begin + node.body
        return [node, *ast.parse("race_end_loop()").body]

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        if _called(node, "thread_id"):
            self.by_thread = True
            node.func = ast.Name("race_thread", ast.Load())
        return node


def marked(launch: Any, edit: Callable[[str], str] | None = None) -> Marked:
    """The marks are put into the source text of its task, changed by `edit` first."""
    if hasattr(launch, "task"):
        return _marked_task(launch.task, edit)
    function = launch.dispatcher.py_func
    source, first = inspect.getsourcelines(function)
    text = textwrap.dedent("".join(source))
    tree = ast.parse(edit(text) if edit else text)
    ast.increment_lineno(tree, first - 1)
    marking = _Marking()
    marking.visit(tree)
    assert len(marking.lines) <= recorder.MOST_LOOPS
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.name = _PREFIX + definition.name
    definition.decorator_list = []
    names = dict(function.__globals__)
    names["race_enter_task"] = recorder.enter_task
    names["race_end_loop"] = recorder.end_loop
    names["race_thread"] = recorder.thread
    exec(compile(ast.fix_missing_locations(tree), function.__code__.co_filename, "exec"), names)
    dispatcher = numba.njit(
        names[definition.name],
        nogil=True,
        boundscheck=False,
        error_model="numpy",
        fastmath=_jit.FASTMATH,
    )
    return Marked(dispatcher, marking.lines, marking.by_thread)


def _marked_task(function: Callable, edit: Callable[[str], str] | None) -> Marked:
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
    options = {
        "nogil": True,
        "boundscheck": False,
        "error_model": "numpy",
        "fastmath": _jit.FASTMATH,
    }
    arguments = ", ".join(list(inspect.signature(function).parameters)[1:])
    runner = f"""
def {_PREFIX}{function.__name__}(tasks, {arguments}):
    for index in range(tasks):
        race_enter_task(0, index)
        race_task(index, {arguments})
    race_end_loop()
"""
    names["race_task"] = numba.njit(names[definition.name], **options)
    names["race_enter_task"] = recorder.enter_task
    names["race_end_loop"] = recorder.end_loop
    exec(runner, names)
    dispatcher = numba.njit(names[_PREFIX + function.__name__], **options)
    return Marked(dispatcher, [function.__code__.co_firstlineno], marking.by_thread)


@contextmanager
def recording() -> Iterator[None]:
    """What `marked` functions are called in the first time, so that they compile with records."""
    optimize = JITCodeLibrary._optimize_final_module

    def optimize_and_instrument(library: Any) -> None:
        optimize(library)
        if _PREFIX in library.name:
            text = instrumented(str(library._final_module))
            library._final_module = llvm.parse_assembly(text)

    JITCodeLibrary._optimize_final_module = optimize_and_instrument
    try:
        yield
    finally:
        JITCodeLibrary._optimize_final_module = optimize
