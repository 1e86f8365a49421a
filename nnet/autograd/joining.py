"""One tensor from several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .broadcasting import common
from .choosing import check_condition, choose
from .operand import Operand
from .shaping import axis
from .tensor import Tensor

__all__ = ["cat", "stack", "where"]


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join along an axis that is there; the dtype is the one in which all meet.

    Tensors of shape (0,) may stand among others of any shape and add nothing. Raises ValueError
    for shapes that differ elsewhere than along `dim`, and for tensors without axes.

    >>> import nnet as nn
    >>> nn.cat([nn.zeros(2, 3), nn.ones(1, 3)]).shape
    (3, 3)
    """
    dtype = _common_dtype("cat", tensors)
    shapes = [tensor.data.shape for tensor in tensors]
    kept = [tensor.data for tensor in tensors if tensor.data.shape != (0,)]
    if kept:
        dim = axis(dim, kept[0].ndim or 1)
    else:
        kept, dim = [tensors[0].data], 0
    try:
        y = np.concatenate(kept, dim, dtype=dtype)
    except ValueError:
        raise ValueError(
            f"cat: expected shapes that differ along dim {dim} alone, got {shapes}"
        ) from None

    def backward(dy: np.ndarray) -> list[np.ndarray]:
        before = (slice(None),) * dim
        pieces, start = [], 0
        for shape in shapes:
            stop = start + (0 if shape == (0,) else shape[dim])
            pieces.append(dy[(*before, slice(start, stop))].reshape(shape))
            start = stop
        return pieces

    return tensors[0]._record(y, tensors, backward)


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join along a new axis; the dtype is the one in which all meet.

    Raises ValueError for shapes that differ.

    >>> import nnet as nn
    >>> nn.stack([nn.zeros(3), nn.ones(3)], dim=1).shape
    (3, 2)
    """
    dtype = _common_dtype("stack", tensors)
    arrays = [tensor.data for tensor in tensors]
    dim = axis(dim, arrays[0].ndim + 1)
    try:
        y = np.stack(arrays, dim, dtype=dtype)
    except ValueError:
        shapes = [x.shape for x in arrays]
        raise ValueError(f"stack: expected tensors of one shape, got {shapes}") from None
    return tensors[0]._record(y, tensors, lambda dy: tuple(np.moveaxis(dy, dim, 0)))


def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """input where the condition holds, else other; all three broadcast.

    condition     of bool
    input, other  tensors or numbers; the result is of the dtype in which they meet

    The condition alone gives the indices where it holds, a tensor for each axis.

    Raises TypeError for a condition of another dtype, and for input without other.

    >>> import nnet as nn
    >>> x = nn.tensor([-1.0, 2.0])
    >>> nn.where(x > 0, x, 0.5)
    tensor([0.5, 2. ])
    >>> nn.where(x > 0)
    (tensor([1]),)
    """
    if input is None and other is None:
        check_condition("where", "condition", condition)
        return tuple(
            condition._record(each, ()) for each in np.atleast_1d(condition.data).nonzero()
        )
    return choose(condition, input, other)


def _common_dtype(op: str, tensors: Sequence[Any]) -> np.dtype | None:
    """Where all meet, None where all are of one; TypeError for what is no sequence of tensors."""
    dtypes = [tensor.data.dtype for tensor in tensors if isinstance(tensor, Operand)]
    if not dtypes or len(dtypes) < len(tensors):
        kinds = [type(tensor).__name__ for tensor in tensors]
        raise TypeError(f"{op}: expected one tensor or more in a sequence, got {kinds}")
    first = dtypes[0]
    for dtype in dtypes:
        if dtype is not first:
            return common(*tensors)
    return None
