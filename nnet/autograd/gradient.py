"""Tensor methods that ask for gradients, walk back for them, and add them up."""

from __future__ import annotations

from typing import Any

import numpy as np

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
        if not self.requires_grad:
            raise RuntimeError(
                "backward: expected a tensor that requires grad; this one was computed from "
                "tensors that do not, or inside no_grad"
            )
        if gradient is None:
            if self.data.size != 1:
                raise RuntimeError(
                    "backward: expected a scalar or an argument `gradient`, got shape "
                    f"{self.data.shape}"
                )
            dy = np.empty(self.data.shape, self.data.dtype)
            dy.fill(1)
        else:
            dy = np.asarray(gradient.data if isinstance(gradient, Operand) else gradient)
            if dy.shape != self.data.shape:
                raise ValueError(
                    f"backward: expected gradient of shape {self.data.shape}, got {dy.shape}"
                )
            dy = dy.astype(self.data.dtype, copy=False)
        if self._node is None:
            self.accumulate(dy)
        else:
            backpropagate(self._node, dy, retain_graph)

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
