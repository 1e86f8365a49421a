"""Weights that are computed from others whenever they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from .module import Module
from .parameter import Parameter
from .tensor import Tensor

M = TypeVar("M", bound=Module)


def weight_of(op: str, module: Module, name: str) -> Parameter:
    """The parameter of that name; TypeError or ValueError where there is none."""
    if not isinstance(module, Module):
        raise TypeError(f"{op}: expected a module, got {type(module).__name__}")
    value = vars(module).get(name)
    if not isinstance(value, Parameter):
        raise ValueError(
            f"{op}: expected a parameter {name!r} in {type(module).__name__}, which is not "
            "computed from others already"
        )
    return value


def compute_on_reading(module: M, name: str, compute: Callable[[Any], Tensor]) -> M:
    """From now on module.<name> is compute(module): its class becomes one with that property.

    A class of its own is also what keeps `Sequential` from reading the weight past it.
    """
    kind = type(module)
    delattr(module, name)

    def refuse(self: Module, value: object) -> None:
        raise AttributeError(
            f"{kind.__name__}: expected no assignment to {name!r}, which is computed from others; "
            "take back its normalization first"
        )

    own = {name: property(compute, refuse), "__module__": kind.__module__, "__doc__": kind.__doc__}
    module.__class__ = type(kind.__name__, (kind,), own)
    return module


def keep_computed(op: str, module: M, name: str, parts: tuple[str, ...]) -> M:
    """Undo `compute_on_reading`: what it computes now becomes the parameter, `parts` go."""
    kind = type(module)
    if not isinstance(vars(kind).get(name), property) or parts[0] not in vars(module):
        raise ValueError(f"{op}: expected {name!r} to be the last one computed, it is not")
    value = getattr(module, name).detach()
    for part in parts:
        delattr(module, part)
        module._persistent.pop(part, None)
    module.__class__ = kind.__mro__[1]
    setattr(module, name, Parameter(value.data.copy()))
    return module
