"""Tensors: an array, its gradient and, when recorded, the node that made it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .arithmetic import Arithmetic
from .casting import Casting
from .elementwise import Elementwise
from .history import View
from .in_place import InPlace
from .recording import mode
from .reductions import Reductions
from .shaping import Shaping
from .tape import Backward, Leaf, Node, backpropagate, output_nodes
from .writes import log, next_serial, wrote

__all__ = ["Tensor", "record", "record_outputs"]


class Place(Protocol):
    """Where a parameter lives in flat buffers, with a place for its gradient; see `Home`."""

    data: np.ndarray
    gradient: np.ndarray
    grad: Any

    def is_free(self, data: np.ndarray) -> bool: ...


class _Slots:
    """What a tensor consists of."""

    __slots__ = (
        "__weakref__",
        "_home",
        "_moved",  # serial of the last assignment to data, if there was one
        "_node",
        "_view",
        "_views",
        "data",
        "grad",
        "requires_grad",
    )


# As `tensor.grad = grad`, without `Tensor.__setattr__`, for what is done in every step.
set_grad = _Slots.grad.__set__  # type: ignore[attr-defined]


class _New(_Slots):
    """A tensor while it is made: `Tensor.__setattr__` costs more than recording may."""

    __slots__ = ()


class Tensor(
    Arithmetic["Tensor"],
    Elementwise["Tensor"],
    Reductions["Tensor"],
    Shaping["Tensor"],
    Casting["Tensor"],
    InPlace["Tensor"],
    _Slots,
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

    @property
    def is_leaf(self) -> bool:
        return self._node is None

    def dim(self) -> int:
        return self.data.ndim

    def size(self, dim: int | None = None) -> Any:
        """The shape, or its entry `dim`."""
        return self.data.shape if dim is None else self.data.shape[dim]

    def numel(self) -> int:
        return self.data.size

    def item(self) -> Any:
        """The only element as a Python number; ValueError if there is not exactly one."""
        if self.data.size != 1:
            raise ValueError(f"item: expected a tensor of one element, got shape {self.shape}")
        return self.data.item()

    def tolist(self) -> Any:
        return self.data.tolist()

    def numpy(self) -> np.ndarray:
        """The array itself, not a copy, and outside the tape."""
        return self.data

    def detach(self) -> Tensor:
        """The same values, outside the tape."""
        return record(self.data, ())

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set whether operations on this leaf are recorded."""
        if self._node is not None and not requires_grad:
            raise RuntimeError("requires_grad_: expected a leaf tensor, got a computed one")
        if requires_grad and self.data.dtype.kind != "f":
            raise TypeError(
                f"requires_grad: expected dtype float32 or float64, got {self.data.dtype}"
            )
        self.requires_grad = requires_grad
        return self

    def retain_grad(self) -> None:
        """Keep `grad` although this tensor was computed."""
        if self._node is not None:
            self._node.result = self

    def backward(
        self, gradient: Tensor | np.ndarray | None = None, retain_graph: bool = False
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
                    f"backward: expected a scalar or an argument `gradient`, got shape {self.shape}"
                )
            dy = np.empty(self.data.shape, self.data.dtype)
            dy.fill(1)
        else:
            dy = np.asarray(gradient.data if isinstance(gradient, Tensor) else gradient)
            if dy.shape != self.shape:
                raise ValueError(
                    f"backward: expected gradient of shape {self.shape}, got {dy.shape}"
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
            self.grad = record(np.array(gradient, data.dtype, order="C"), ())

    def place_of_gradient(self) -> np.ndarray | None:
        """Where a backward may write the first gradient of a parameter and return it, or None.

        For gradients so large that copying them there would take as long as computing them.
        """
        home = self._home
        if self.grad is not None or home is None or not home.is_free(self.data):
            return None
        return home.gradient

    def __len__(self) -> int:
        if not self.data.ndim:
            raise TypeError("len: expected at least one dimension, got a tensor without")
        return len(self.data)

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.data.dtype.kind not in "iu":
            raise TypeError(f"index: expected an integer tensor, got {self.data.dtype}")
        return int(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.data, dtype, copy=copy)

    def __format__(self, spec: str) -> str:
        return format(self.item() if not self.data.ndim else repr(self), spec)

    def __repr__(self) -> str:
        text = np.array2string(self.data, separator=", ", prefix="tensor(", threshold=100)
        if self.data.dtype not in (np.float32, np.int64, np.bool_):
            text += f", dtype={self.data.dtype}"
        if self.requires_grad:
            text += ", requires_grad=True"
        return f"tensor({text})"

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


def record(y: Any, inputs: Sequence[Tensor | None], backward: Backward | None = None) -> Tensor:
    """The tensor of y, with a node if something in `inputs` needs a gradient.

    y         what was computed
    inputs    the tensors that it was computed from; None for one left out
    backward  dy -> gradients, one for each input, None where not needed; a single one may stand
              without a tuple. It runs at most once unless the graph is retained, and is dropped
              with all it refers to when it has run.

    This is all a custom operation needs:

    >>> import numpy as np, nnet as nn
    >>> def cube(x):
    ...     return nn.record(x.data**3, (x,), lambda dy: 3 * x.data**2 * dy)
    >>> x = nn.tensor([1.0, 2.0], requires_grad=True)
    >>> cube(x).sum().backward()
    >>> x.grad
    tensor([ 3., 12.])
    """
    result: Any = _new(_New)
    result.data = y = y if type(y) is np.ndarray else np.asarray(y)
    result.grad = result._home = result._node = result._view = result._views = None
    result.requires_grad = False
    for x in inputs:
        if x is not None and x.requires_grad and mode.recording:
            assert backward is not None
            result.requires_grad = True
            result._node = Node(_edges(inputs), backward, y)
            break
    result.__class__ = Tensor
    return result


def record_outputs(
    ys: Sequence[np.ndarray],
    inputs: Sequence[Tensor | None],
    backward: Callable[..., Sequence[np.ndarray | None]],
) -> tuple[Tensor, ...]:
    """The tensors of ys, all computed at once from `inputs`: `record` for several outputs.

    backward  (*dys) -> gradients, one for each input; runs once for all outputs, with None for
              those that nothing was computed from

    >>> import numpy as np, nnet as nn
    >>> def sine_and_cosine(x):
    ...     sine, cosine = np.sin(x.data), np.cos(x.data)
    ...     def backward(dsine, dcosine):
    ...         dx = np.zeros_like(x.data)
    ...         if dsine is not None:
    ...             dx += dsine * cosine
    ...         if dcosine is not None:
    ...             dx -= dcosine * sine
    ...         return (dx,)
    ...     return nn.record_outputs((sine, cosine), (x,), backward)
    >>> x = nn.tensor(0.0, requires_grad=True)
    >>> sine, cosine = sine_and_cosine(x)
    >>> (3 * sine + cosine).backward()
    >>> x.grad
    tensor(3.)
    """
    results = tuple(record(y, ()) for y in ys)
    if mode.recording and any(x is not None and x.requires_grad for x in inputs):
        nodes = output_nodes(_edges(inputs), backward, [each.data for each in results])
        for result, node in zip(results, nodes, strict=True):
            result.requires_grad = True
            result._node = node
    return results


def _edges(inputs: Sequence[Tensor | None]) -> list[Node | Leaf | None]:
    return [
        None if each is None or not each.requires_grad else each._node or each for each in inputs
    ]


_new = object.__new__
Tensor._record = staticmethod(record)  # type: ignore[method-assign]


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
