"""Weights that are computed from others whenever they are read."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any, TypeVar

from ..autograd.parameter import Parameter
from ..autograd.tensor import Tensor
from .module import Module

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

    A class of its own is also what keeps `Sequential` from reading the weight past it. The module
    can be pickled where `compute` can.
    """
    kind = type(module)
    delattr(module, name)
    module.__class__ = _computing(kind, name, compute)
    return module


def _computing(kind: type, name: str, compute: Callable[[Any], Tensor]) -> type:
    def read(self: Module) -> Tensor:
        given = vars(self).get(name)
        return compute(self) if given is None else given

    def refuse(self: Module, value: object) -> None:
        raise AttributeError(
            f"{kind.__name__}: expected no assignment to {name!r}, which is computed from others; "
            "take back its normalization first"
        )

    own = {
        name: property(read, refuse),
        "__module__": kind.__module__,
        "__doc__": kind.__doc__,
        "__reduce_ex__": _reduced,
        "_computed": (name, compute),
    }
    return type(kind.__name__, (kind,), own)


def _reduced(self: Module, _protocol: int) -> tuple[Any, ...]:
    """For pickle, which finds classes by their names: the class that was, and what is computed."""
    kind, computed = type(self), []
    while "_computed" in vars(kind):
        computed.append(vars(kind)["_computed"])
        kind = kind.__mro__[1]
    return _restored, (kind, computed), self.__getstate__()


def _restored(kind: Any, computed: list[tuple[str, Callable[[Any], Tensor]]]) -> Any:
    for name, compute in reversed(computed):
        kind = _computing(kind, name, compute)
    return kind.__new__(kind)


def forward_with(module: Module, **given: Tensor | None) -> Callable[..., Any]:
    """The module's `forward`, which reads these where it would read its own.

    Of a twin that has all else in common with the module, so that threads do not meet. TypeError
    for a forward that was set on the module and is no method of it, so reads what it likes.
    """
    twin = object.__new__(type(module))
    vars(twin).update(vars(module), **given)
    own = vars(twin).pop("forward", None)
    if own is None:
        return twin.forward
    if getattr(own, "__self__", None) is not module:
        raise TypeError(
            f"{type(module).__name__}: expected a forward that is a method of it and reads its "
            f"{' and '.join(given)} there, got one set on it"
        )
    return MethodType(own.__func__, twin)


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
