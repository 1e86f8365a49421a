"""Views that share memory on the tape, and the history of a tensor that is written to in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from weakref import ref

import numpy as np

from .operand import Operand, R
from .recording import mode
from .tape import Backward, Node
from .writes import wrote


class View(NamedTuple):
    """How a tensor looks into another one's memory.

    base      the tensor; None if the view was made inside no_grad, where nothing is recorded
    apply     array like the base's -> array like the view's, sharing memory where it can
    backward  the gradient's way back
    """

    base: Any
    apply: Callable[[np.ndarray], np.ndarray]
    backward: Backward


def record_view(x: Operand[R], apply: Callable[[np.ndarray], np.ndarray], backward: Backward) -> R:
    """The tensor of apply(x.data), which knows that it is a view, if it is one."""
    data = x.data
    y = apply(data)
    result: Any = x._record(y, (x,), backward)
    base = y.base
    if base is not None and (base is data or base is data.base):
        if mode.recording:
            result._view = View(x, apply, backward)
            views = x._views
            if views is None:
                views = x._views = []  # type: ignore[misc]
            views.append(ref(result))
            count = len(views)
            if count >= 32 and not count & (count - 1):
                views[:] = [each for each in views if each() is not None]
        else:
            result._view = View(None, apply, backward)
    return result


def root_of(tensor: Any) -> Any:
    """The tensor that this one is a view of, or it itself."""
    while tensor._view is not None and tensor._view.base is not None:
        tensor = tensor._view.base
    return tensor


def check_writable(name: str, tensor: Any, *others: Any) -> bool:
    """Whether a write to `tensor`, of values that depend on `others`, is to be recorded.

    Raises RuntimeError for a leaf that requires a gradient, for a view of one, and for a view
    made inside no_grad: what they stand for could not follow.
    """
    if not mode.recording:
        return False
    root = root_of(tensor)
    if root.requires_grad and root.is_leaf:
        what = "a leaf" if root is tensor else "a view of a leaf"
        raise RuntimeError(
            f"{name}: expected a computed tensor or no_grad(), got {what} that requires a "
            "gradient: its values before the write would be lost"
        )
    recorded = tensor.requires_grad or any(getattr(x, "requires_grad", False) for x in others)
    if recorded and root._view is not None:
        raise RuntimeError(
            f"{name}: expected a view made where operations are recorded, got one made inside "
            "no_grad(); make the view outside, or write to it inside as well"
        )
    return recorded


def before(tensor: Any, data: np.ndarray | None = None) -> Any:
    """The tensor as it is on the tape, to compute from; with `data`, a copy of its values."""
    old = tensor._record(tensor.data if data is None else data, ())
    old._node, old.requires_grad = tensor._node, tensor.requires_grad
    return old


def write_over(tensor: Any, new: Any) -> Any:
    """Write the values of `new`, and let the tensor's history be its own."""
    np.copyto(tensor.data, new.data, "same_kind")
    wrote(tensor.data)
    return follow(tensor, new)


def follow(tensor: Any, new: Any) -> Any:
    """Let the history of `new` be that of a tensor whose values it has.

    What the tensor is a view of changes with it, and so do the other views of that.
    """
    source = new._node or new
    root = root_of(tensor)
    if root is tensor:
        _set_node(root, new._node or Node((new,), lambda dy: dy, root.data))
    else:
        places = np.arange(root.data.size).reshape(root.shape)
        for view in _path(tensor):
            places = view.apply(places)
        edge = (root._node or root) if root.requires_grad else None

        def backward(droot: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            rest = np.array(droot, order="C").reshape(-1)
            part = rest[places]
            rest[places] = 0
            return rest.reshape(droot.shape), part

        _set_node(root, Node((edge, source), backward, root.data))
    _renew(root)
    return tensor


def _path(tensor: Any) -> list[View]:
    """The views from the root to the tensor."""
    path = []
    while tensor._view is not None and tensor._view.base is not None:
        path.append(tensor._view)
        tensor = tensor._view.base
    return path[::-1]


def _renew(base: Any) -> None:
    """Let views of a tensor follow from its new history."""
    for each in base._views or ():
        view = each()
        if view is not None and view._view is not None:
            assert base._node is not None
            _set_node(view, Node((base._node,), view._view.backward, view.data))
            _renew(view)


def _set_node(tensor: Any, node: Node) -> None:
    if tensor._node is not None and tensor._node.result is tensor:
        tensor._node.result, node.result = None, tensor
    tensor._node = node
    tensor.requires_grad = True
