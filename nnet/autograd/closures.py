"""What a closure holds: the arrays and tensors that it will compute a gradient from."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from types import FunctionType, MethodType
from typing import Any

import numpy as np


def held_by(function: Callable) -> Iterator[Any]:
    """The arrays and tensors that a closure refers to, in tuples, lists and dicts as well.

    Of a variable `saved` beside one called `needs` only what `saved.needed(needs)` says, if it can.
    Not the tensor of a bound method: that may ask it for other things than its values.
    """
    waiting: list[Any] = [function]
    seen = set()
    while waiting:
        each = waiting.pop()
        kind = type(each)
        if kind is np.ndarray:
            if each.size:
                yield each
        elif isinstance(each, tuple | list):
            waiting += each
        elif id(each) in seen:
            continue
        elif kind is FunctionType:
            seen.add(id(each))
            cells = zip(each.__code__.co_freevars, each.__closure__ or (), strict=True)
            held = {name: cell.cell_contents for name, cell in cells if _is_set(cell)}
            if "needs" in held and hasattr(held.get("saved"), "needed"):
                held["saved"] = held["saved"].needed(held["needs"])
            waiting += held.values()
            waiting += each.__defaults__ or ()
        elif kind is functools.partial:
            waiting += (each.func, each.args, each.keywords)
        elif kind is MethodType and not _is_tensor(each.__self__):
            waiting += (each.__func__, each.__self__)
        elif kind is dict:
            seen.add(id(each))
            waiting += each.values()
        elif isinstance(each, np.ndarray):
            yield each.view(np.ndarray)
        elif _is_tensor(each):
            yield each
            yield each.data


def _is_tensor(value: Any) -> bool:
    return isinstance(getattr(value, "data", None), np.ndarray)


def _is_set(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def maker_of(closure: Callable) -> str:
    """The name of the function that made it."""
    if isinstance(closure, functools.partial):
        closure = closure.func
    name = getattr(closure, "__qualname__", "an operation")
    return name.rsplit(".<locals>", 1)[0].split(".")[-1]
