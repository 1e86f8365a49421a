"""Tensors: an array, its gradient and, when recorded, the node that made it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .beside import Beside
from .casting import Casting
from .choosing import Choosing
from .comparing import Comparing
from .conversion import Conversion
from .elementwise import Elementwise
from .exponentials import Exponentials
from .extremes import Extremes
from .folds import Folds
from .gathering import Gathering
from .gradient import Gradient
from .history import View
from .in_place import InPlace
from .norms import Norms
from .operators import Operators
from .ordering import Ordering
from .pieces import Pieces
from .plain_products import PlainProducts
from .reductions import Reductions
from .sampling import Sampling
from .shaping import Shaping
from .slots import Place, Slots
from .tape import Node
from .tiling import Tiling
from .triangles import Triangles
from .writes import log, next_serial, wrote

__all__ = ["Tensor"]


class Tensor(
    Operators["Tensor"],
    Elementwise["Tensor"],
    Reductions["Tensor"],
    Extremes["Tensor"],
    Shaping["Tensor"],
    Comparing["Tensor"],
    PlainProducts["Tensor"],
    Folds["Tensor"],
    Norms["Tensor"],
    Exponentials["Tensor"],
    Choosing["Tensor"],
    Gathering["Tensor"],
    Ordering["Tensor"],
    Triangles["Tensor"],
    Tiling["Tensor"],
    Pieces["Tensor"],
    Casting["Tensor"],
    InPlace["Tensor"],
    Sampling["Tensor"],
    Beside["Tensor"],
    Gradient["Tensor"],
    Conversion["Tensor"],
    Slots,
):
    """An array of float32 or float64, with gradients; or of integers or bool, without.

    data           the values; an array is taken as it is, not copied; numbers and lists become
                   float32, int64 or bool
    requires_grad  record what is computed from it, so that `backward` reaches it
    grad           a tensor like data once `backward` came here, else None

    `backward` raises where something it needs was written to in place since: by an operation of
    this library, an optimizer's step, or `t.data += 1`. What NumPy code writes into `t.data` or
    `t.numpy()` is not seen.

    Raises TypeError for other dtypes, and for requires_grad on integers.

    >>> import nnet as nn
    >>> w = nn.Tensor([1.0, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> w.grad
    tensor([2., 4.])
    """

    __slots__ = ()

    __array_ufunc__ = None
    __hash__ = object.__hash__

    grad: Tensor | None
    _node: Node | None
    _home: Place | None
    _moved: int
    _view: View | None
    _views: list[Any] | None

    def __init__(self, data: Any, requires_grad: bool = False) -> None:
        self._place(as_array(data))
        self.grad = self._node = self._home = self._view = self._views = None
        self.requires_grad = False
        if requires_grad:
            self.requires_grad_()

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "data":
            value = self._assigned(value)
        object.__setattr__(self, name, value)

    def _place(self, array: np.ndarray) -> None:
        """Let `data` be an array of the same values."""
        object.__setattr__(self, "data", array)

    def _assigned(self, value: Any) -> np.ndarray:
        """The array for `data`, as from `t.data = other` or `t.data += 1`."""
        if not isinstance(value, Tensor | np.ndarray | np.generic):
            raise TypeError(f"data: expected a tensor or an array, got {type(value).__name__}")
        array = as_array(value)
        if self.requires_grad and array.dtype.kind != "f":
            raise TypeError(
                f"data: expected dtype float32 or float64 where a gradient is required, "
                f"got {array.dtype}"
            )
        if array is self.data:
            wrote(array)
        else:
            object.__setattr__(self, "_moved", next_serial())
            log.latest = max(log.latest, self._moved)
        return array

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape

    @property
    def ndim(self) -> int:
        return self.data.ndim

    @property
    def dtype(self) -> np.dtype:
        return self.data.dtype

    @property
    def device(self) -> str:
        return "cpu"

    def dim(self) -> int:
        return self.data.ndim

    def size(self, dim: int | None = None) -> Any:
        """The shape, or its entry `dim`."""
        return self.data.shape if dim is None else self.data.shape[dim]

    def numel(self) -> int:
        return self.data.size

    def __len__(self) -> int:
        if not self.data.ndim:
            raise TypeError("len: expected at least one dimension, got a tensor without")
        return len(self.data)

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __reduce__(self) -> tuple[Any, ...]:
        if self._node is not None:
            raise RuntimeError(
                "copy: expected a leaf tensor, got a computed one; detach() it first"
            )
        return _rebuild, (type(self), self.data, self.requires_grad, self.grad)


def _rebuild(
    kind: type[Tensor], data: np.ndarray, requires_grad: bool, grad: Tensor | None
) -> Tensor:
    tensor = kind(data, requires_grad)
    tensor.grad = grad
    return tensor


def as_array(data: Any) -> np.ndarray:
    """The array of a tensor, an array, numbers or nested lists of numbers.

    Python's floats become float32, its integers int64. Raises TypeError for a dtype that
    tensors do not have.
    """
    if isinstance(data, Tensor):
        return data.data
    array = np.asarray(data)
    if array.dtype == np.float64 and not isinstance(data, np.ndarray | np.generic):
        array = array.astype(np.float32)
    if array.dtype.kind not in "biu" and array.dtype not in (np.float32, np.float64):
        raise TypeError(
            f"Tensor: expected float32, float64, an integer type or bool, got {array.dtype}"
        )
    return array
