"""Results of operations: their tensors, with a node where something needs a gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .recording import mode
from .slots import New
from .tape import Backward, Leaf, Node, output_nodes
from .tensor import Tensor

__all__ = ["record", "record_outputs"]

_new = object.__new__


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
    result: Any = _new(New)
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


Tensor._record = staticmethod(record)  # type: ignore[method-assign]
