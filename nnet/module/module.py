"""Modules: parameters, buffers and other modules, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np

from ..autograd.casting import target_dtype
from ..autograd.parameter import Parameter
from ..autograd.slots import set_grad
from ..autograd.tensor import Tensor
from .hooks import Hook, RemovableHandle
from .state import KeysLeft, load_state
from .tree import Tree

__all__ = ["Module"]


class Module(Tree["Module"]):
    """Base class of layers and models: assign what it has in `__init__`, and write `forward`.

    What a module consists of is read off its attributes: parameters, modules, and the tensors
    registered as buffers.

    >>> import nnet as nn
    >>> class Scale(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = nn.Parameter([2.0])
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> Scale()(nn.ones(3))
    tensor([2., 2., 2.], requires_grad=True)
    """

    training: bool
    _persistent: dict[str, bool]
    _forward_hooks: dict[int, tuple[Hook, bool]]

    def __init__(self) -> None:
        self.training = True
        self._persistent = {}
        self._forward_hooks = {}

    def forward(self, *args: Any, **named: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: expected a method forward, got none")

    def __call__(self, *args: Any, **named: Any) -> Any:
        output = self.forward(*args, **named)
        if self._forward_hooks:
            for hook, with_kwargs in list(self._forward_hooks.values()):
                given = (args, named) if with_kwargs else (args,)
                changed = hook(self, *given, output)
                if changed is not None:
                    output = changed
        return output

    def register_forward_hook(self, hook: Hook, *, with_kwargs: bool = False) -> RemovableHandle:
        """Call hook(module, args, output) after each forward; what it returns replaces output.

        with_kwargs  call hook(module, args, kwargs, output), with what was given by name
        """
        handle = RemovableHandle(self._forward_hooks)
        self._forward_hooks[handle._key] = hook, with_kwargs
        return handle

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """A tensor that belongs to the state but is not learned."""
        self._check_name(name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"register_buffer: expected a tensor, got {type(tensor).__name__}")
        self._persistent[name] = persistent
        setattr(self, name, tensor)

    def register_parameter(self, name: str, parameter: Parameter | None) -> None:
        self._check_name(name)
        if parameter is not None and not isinstance(parameter, Parameter):
            raise TypeError(
                f"register_parameter: expected a Parameter, got {type(parameter).__name__}"
            )
        setattr(self, name, parameter)

    def add_module(self, name: str, module: Module | None) -> None:
        self._check_name(name)
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"add_module: expected a Module, got {type(module).__name__}")
        setattr(self, name, module)

    register_module = add_module

    def _check_name(self, name: str) -> None:
        if not name or "." in name or (hasattr(self, name) and name not in vars(self)):
            raise ValueError(
                f"{type(self).__name__}: expected a name that is free and without dots, "
                f"got {name!r}"
            )

    def __setattr__(self, name: str, value: Any) -> None:
        old = self.__dict__.get(name)
        if isinstance(old, Parameter) and not (value is None or isinstance(value, Parameter)):
            raise TypeError(
                f"{type(self).__name__}: expected a Parameter or None for {name!r}, "
                f"got {type(value).__name__}"
            )
        object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        hint = "; call super().__init__() first" if name in Module.__annotations__ else ""
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}{hint}")

    def train(self, mode: bool = True) -> Self:
        """Behave as in training: batch statistics, dropout."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Behave as in use: running statistics, no dropout."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or overwrite them with zeros."""
        for parameter in self.parameters():
            if set_to_none:
                set_grad(parameter, None)
            elif parameter.grad is not None:
                parameter.grad.zero_()

    def apply(self, function: Callable[[Module], Any]) -> Self:
        """Call function on every module, children first."""
        for module in self.children():
            module.apply(function)
        function(self)
        return self

    def to(self, *target: Any, device: Any = None, dtype: Any = None) -> Self:
        """Cast float parameters and buffers to a dtype; the device "cpu" changes nothing."""
        dtype = target_dtype(*target, device, dtype)
        if dtype is None:
            return self
        if dtype.kind != "f":
            raise TypeError(f"Module.to: expected dtype float32 or float64, got {dtype}")
        for _, tensor in [*self.named_parameters(), *self.named_buffers()]:
            for each in (tensor, tensor.grad):
                if each is not None and each.dtype.kind == "f":
                    each.data = each.data.astype(dtype, copy=False)
        return self

    def cpu(self) -> Self:
        return self

    def float(self) -> Self:
        return self.to(np.float32)

    def double(self) -> Self:
        return self.to(np.float64)

    def state_dict(self, prefix: str = "") -> dict[str, Tensor]:
        """Parameters and buffers by name, on the module's own memory."""
        return {name: value.detach() for name, value in self._named_state(prefix)}

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> KeysLeft:
        """Write the values of `state_dict`: tensors of this library or PyTorch's, or arrays.

        strict  every name must be there and belong to something

        Raises ValueError for a wrong shape or, if strict, names that are missing or unexpected;
        nothing is written then.

        >>> import nnet as nn
        >>> layer = nn.Linear(2, 1)
        >>> layer.load_state_dict({"weight": [[1, 2]], "bias": [3]})
        KeysLeft(missing_keys=[], unexpected_keys=[])
        """
        return load_state(type(self).__name__, dict(self._named_state()), state_dict, strict)

    def extra_repr(self) -> str:
        """What the printed module says in its parentheses."""
        return ""

    def __repr__(self) -> str:
        name, extra = type(self).__name__, self.extra_repr()
        children = [f"({n}): {m!r}".replace("\n", "\n  ") for n, m in self._own(Module)]
        if not children:
            return f"{name}({extra})"
        return f"{name}({extra}\n  " + "\n  ".join(children) + "\n)"
