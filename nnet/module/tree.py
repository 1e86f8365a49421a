"""What a module consists of, read off its attributes by name: itself and all below it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

from ..autograd.parameter import Parameter
from ..autograd.tensor import Tensor
from .state import join

T = TypeVar("T")
# What stands in the tree: modules.
M = TypeVar("M", bound="Tree[Any]")


class Tree(Generic[M]):
    """Walks over modules, parameters and buffers; `Module` fills it."""

    _persistent: dict[str, bool]

    def named_children(self) -> Iterator[tuple[str, M]]:
        return _once(self._own_modules())

    def children(self) -> Iterator[M]:
        return (module for _, module in self.named_children())

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, M]]:
        """This module and all below it, each once."""
        return _once(self._tree(prefix))

    def modules(self) -> Iterator[M]:
        return (module for _, module in self.named_modules())

    def get_submodule(self, target: str) -> M:
        """The module of that dotted name; AttributeError if there is none."""
        module: Any = self
        for name in target.split(".") if target else []:
            module = getattr(module, name)
        return module

    def named_parameters(
        self, prefix: str = "", recurse: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Each parameter once, also if several modules share it."""
        return _once(
            (join(path, name), parameter)
            for path, module in (self._tree(prefix) if recurse else [(prefix, self)])
            for name, parameter in module._own(Parameter)
        )

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
        return _once(
            (join(path, name), buffer)
            for path, module in (self._tree(prefix) if recurse else [(prefix, self)])
            for name, buffer in module._own_buffers()
        )

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def _own(self, kind: type[T]) -> Iterator[tuple[str, T]]:
        return ((n, value) for n, value in list(vars(self).items()) if isinstance(value, kind))

    def _own_modules(self) -> Iterator[tuple[str, M]]:
        found: Any = self._own(Tree)
        return found

    def _own_buffers(self, persistent: bool = False) -> Iterator[tuple[str, Tensor]]:
        for name, kept in self._persistent.items():
            value = vars(self).get(name)
            if isinstance(value, Tensor) and (kept or not persistent):
                yield name, value

    def _tree(self, prefix: str = "") -> Iterator[tuple[str, M]]:
        this: Any = self
        yield prefix, this
        for name, module in self._own_modules():
            yield from module._tree(join(prefix, name))

    def _named_state(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """What `state_dict` holds; something shared appears under each of its names.

        prefix  put before the names as it is, so it ends with a dot
        """
        for path, each in self._tree():
            for name, parameter in each._own(Parameter):
                yield prefix + join(path, name), parameter
            for name, buffer in each._own_buffers(persistent=True):
                yield prefix + join(path, name), buffer


def _once(named: Iterable[tuple[str, T]]) -> Iterator[tuple[str, T]]:
    seen = set()
    for name, value in named:
        if id(value) not in seen:
            seen.add(id(value))
            yield name, value
