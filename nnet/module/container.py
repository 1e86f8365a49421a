"""Modules in a row, or in a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Self, overload

from ..autograd.tensor import Tensor
from .calls import fuses, is_plain, runs_own_forward
from .module import Module

__all__ = ["Sequential", "ModuleList"]


class Modules(Module):
    """Modules by number; what the containers share."""

    def __len__(self) -> int:
        return sum(1 for _ in self._own(Module))

    def __iter__(self) -> Iterator[Module]:
        return iter([each for each in self.__dict__.values() if isinstance(each, Module)])

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._of(dict(list(self._own(Module))[index]))
        return getattr(self, self._name(index))

    def __setitem__(self, index: int, module: Module) -> None:
        self.add_module(self._name(index), module)

    def __delitem__(self, index: int | slice) -> None:
        modules = list(self)
        del modules[index]
        self._replace(modules)

    def append(self, module: Module) -> Self:
        number = len(self)
        while str(number) in vars(self):  # those of a slice keep their names
            number += 1
        self.add_module(str(number), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        for module in modules:
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        modules = list(self)
        modules.insert(index, module)
        self._replace(modules)
        return self

    def _name(self, index: int) -> str:
        names = [name for name, _ in self._own(Module)]
        if not -len(names) <= index < len(names):
            raise IndexError(
                f"{type(self).__name__}: expected an index below {len(names)}, got {index}"
            )
        return names[index]

    def _replace(self, modules: Iterable[Module]) -> None:
        for name, _ in self._own(Module):
            delattr(self, name)
        self.extend(modules)

    def _of(self, modules: dict[str, Module]) -> Self:
        raise NotImplementedError


class Sequential(Modules):
    """Modules that feed one another: given one by one, or as a dict by name.

    Without modules it returns its input. A layer and what its class names as `fuses` run as one
    kernel when neighbours, through `forward(input, relu=True)`, with the same result to rounding,
    unless one of them has a hook or a `forward` set on it alone.

    >>> import nnet as nn
    >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    >>> model(nn.ones(3, 4)).shape
    (3, 2)
    """

    def __init__(self, *modules: Module | dict[str, Module]) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], dict):
            for name, module in modules[0].items():
                self.add_module(name, module)
        else:
            for i, each in enumerate(modules):
                self.add_module(str(i), each)  # type: ignore[arg-type]

    def forward(self, input: Tensor) -> Tensor:
        held = None
        for module in self:
            if held is None:
                held = module
            elif fuses(held) is type(module) and is_plain(held) and is_plain(module):
                input, held = held.forward(input, relu=True), None
            else:
                input, held = held(input), module
        return input if held is None else held(input)

    def steps(self) -> list[tuple[str, Module]]:
        """Names and modules in the order in which data goes through them.

        Empty where that cannot be told: in a class that goes through them in a way of its own.

        >>> import nnet as nn
        >>> [name for name, _ in nn.Sequential(nn.Linear(1, 1), nn.ReLU()).steps()]
        ['0', '1']
        """
        kind = type(self)
        plain = kind.forward is Sequential.forward and kind.__iter__ is Sequential.__iter__
        return list(self._own(Module)) if plain and runs_own_forward(self) else []

    def _of(self, modules: dict[str, Module]) -> Self:
        return type(self)(modules)


class ModuleList(Modules):
    """Modules in a list, so that their parameters are found.

    >>> import nnet as nn
    >>> layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    >>> len(list(layers.parameters()))
    6
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(modules)

    def _of(self, modules: dict[str, Module]) -> Self:
        return type(self)(modules.values())
