"""Tensor methods that ask for gradients, walk back for them, and add them up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .hooks import Hooks, RemovableHandle, hooked, hooks_of
from .operand import Operand, R
from .slots import Place, set_grad
from .tape import Node, backpropagate
from .writes import wrote


class Gradient(Operand[R]):
    """A leaf keeps what `backward` brings in `grad`; what was computed has a node instead."""

    __slots__ = ()

    grad: Any
    _node: Node | None
    _home: Place | None

    @property
    def is_leaf(self) -> bool:
        return self._node is None

    def detach(self) -> R:
        """The same values, outside the tape."""
        return self._record(self.data, ())

    def requires_grad_(self, requires_grad: bool = True) -> R:
        """Set whether operations on this leaf are recorded."""
        if self._node is not None and not requires_grad:
            raise RuntimeError("requires_grad_: expected a leaf tensor, got a computed one")
        if requires_grad and self.data.dtype.kind != "f":
            raise TypeError(
                f"requires_grad: expected dtype float32 or float64, got {self.data.dtype}"
            )
        self.requires_grad = requires_grad  # type: ignore[misc]
        return self  # type: ignore[return-value]

    def retain_grad(self) -> None:
        """Keep `grad` although this tensor was computed."""
        if self._node is not None:
            self._node.result = self

    def backward(
        self, gradient: Operand | np.ndarray | None = None, retain_graph: bool = False
    ) -> None:
        """Add to the `grad` of every leaf the gradient of this tensor to it.

        gradient      of something to this tensor; 1 if not given and there is one element
        retain_graph  keep what was saved, for another walk

        Raises RuntimeError for a tensor that needs no gradient, for several elements without
        `gradient`, and for a graph that was walked before.
        """
        dy = seed("backward", self, gradient)
        if self._node is None:
            self.accumulate(hooked(hooks_of(self), dy))
        else:
            backpropagate([(self._node, dy)], retain_graph)

    def register_hook(self, hook: Callable[[R], R | None]) -> RemovableHandle:
        """Call `hook` with each gradient that comes to this tensor, when it is complete.

        What it returns takes the gradient's place, of the same shape and dtype; None changes
        nothing. The result's `remove` ends that.

        Raises RuntimeError for a tensor that requires no gradient.
        """
        if not callable(hook):
            raise TypeError(f"register_hook: expected a function, got {type(hook).__name__}")
        if not self.requires_grad:
            raise RuntimeError("register_hook: expected a tensor that requires grad")
        holder: Any = self if self._node is None else self._node
        attribute = "_hooks" if self._node is None else "hooks"
        hooks: Hooks | None = getattr(holder, attribute, None)
        if hooks is None:
            setattr(holder, attribute, hooks := {})
        handle = RemovableHandle(hooks)
        hooks[handle._key] = _of_arrays(hook, self._record)
        return handle

    def accumulate(self, gradient: np.ndarray) -> None:
        """Add to `grad`; the first gradient of a parameter goes to its place in the flat buffer."""
        data = self.data
        if gradient.shape != data.shape:
            raise RuntimeError(
                f"backward: expected a gradient of shape {data.shape}, got {gradient.shape}"
            )
        if self.grad is not None:
            np.add(self.grad.data, gradient, out=self.grad.data, casting="same_kind")
            wrote(self.grad.data)
            return
        home = self._home
        if home is not None and gradient is home.gradient:
            set_grad(self, home.grad)
        elif home is not None and home.is_free(data):
            np.copyto(home.gradient, gradient)
            set_grad(self, home.grad)
        else:
            self.grad = self._record(np.array(gradient, data.dtype, order="C"), ())

    def place_of_gradient(self) -> np.ndarray | None:
        """Where a backward may write the first gradient of a parameter and return it, or None.

        For gradients so large that copying them there would take as long as computing them.
        """
        home = self._home
        if self.grad is not None or home is None or not home.is_free(self.data):
            return None
        return home.gradient


def _of_arrays(hook: Callable, record: Callable) -> Callable[[np.ndarray], np.ndarray]:
    """A hook that is given an array, and returns one of the same shape and dtype."""

    def call(dy: np.ndarray) -> np.ndarray:
        new = hook(record(dy, ()))
        if new is None:
            return dy
        if not isinstance(new, Operand):
            raise TypeError(f"register_hook: expected a tensor or None, got {type(new).__name__}")
        if new.data.shape != dy.shape or new.data.dtype != dy.dtype:
            raise ValueError(
                f"register_hook: expected a gradient of shape {dy.shape} and {dy.dtype}, "
                f"got {new.data.shape} and {new.data.dtype}"
            )
        return new.data

    return call


def seed(op: str, tensor: Any, gradient: Any) -> np.ndarray:
    """The gradient that a walk back from a tensor starts with: 1 if none is given."""
    if not tensor.requires_grad:
        raise RuntimeError(
            f"{op}: expected a tensor that requires grad; this one was computed from "
            "tensors that do not, or inside no_grad"
        )
    data = tensor.data
    if gradient is None:
        if data.size != 1:
            raise RuntimeError(
                f"{op}: expected a scalar or an argument `gradient`, got shape {data.shape}"
            )
        return np.ones(data.shape, data.dtype)
    dy = np.asarray(gradient.data if isinstance(gradient, Operand) else gradient)
    if dy.shape != data.shape:
        raise ValueError(f"{op}: expected gradient of shape {data.shape}, got {dy.shape}")
    return dy.astype(data.dtype, copy=False)
