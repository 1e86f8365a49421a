"""One tensor from several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .broadcasting import common, fit, tensor_or_none, wanted
from .shaping import axis
from .tape import Operand

if TYPE_CHECKING:
    from .tensor import Tensor


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
        _check_alike("cat", shapes, [x.shape[:dim] + x.shape[dim + 1 :] for x in kept])
        if not kept[0].ndim:
            raise ValueError("cat: expected tensors with axes, got one without")
    else:
        kept, dim = [tensors[0].data], 0

    def backward(dy: np.ndarray) -> list[np.ndarray]:
        before = (slice(None),) * dim
        pieces, start = [], 0
        for shape in shapes:
            stop = start + (0 if shape == (0,) else shape[dim])
            pieces.append(dy[(*before, slice(start, stop))].reshape(shape))
            start = stop
        return pieces

    return tensors[0]._record(np.concatenate(kept, dim, dtype=dtype), tensors, backward)


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join along a new axis; the dtype is the one in which all meet.

    Raises ValueError for shapes that differ.

    >>> import nnet as nn
    >>> nn.stack([nn.zeros(3), nn.ones(3)], dim=1).shape
    (3, 2)
    """
    dtype = _common_dtype("stack", tensors)
    shapes = [tensor.data.shape for tensor in tensors]
    _check_alike("stack", shapes, shapes)
    dim = axis(dim, len(shapes[0]) + 1)
    y = np.stack([tensor.data for tensor in tensors], dim, dtype=dtype)
    return tensors[0]._record(y, tensors, lambda dy: tuple(np.moveaxis(dy, dim, 0)))


def where(condition: Tensor, x: Any = None, y: Any = None) -> Any:
    """x where the condition holds, else y; all three broadcast.

    condition  of bool
    x, y       tensors or numbers; the result is of the dtype in which they meet

    The condition alone gives the indices where it holds, a tensor for each axis.

    Raises TypeError for a condition of another dtype, and for x without y.

    >>> import nnet as nn
    >>> x = nn.tensor([-1.0, 2.0])
    >>> nn.where(x > 0, x, 0.5)
    tensor([0.5, 2. ])
    >>> nn.where(x > 0)
    (tensor([1]),)
    """
    if not isinstance(condition, Operand) or condition.data.dtype not in (np.bool_, np.uint8):
        got = condition.data.dtype if isinstance(condition, Operand) else type(condition).__name__
        raise TypeError(f"where: expected condition to be a tensor of bool, got {got}")
    chosen = condition.data
    if x is None and y is None:
        return tuple(condition._record(each, ()) for each in np.atleast_1d(chosen).nonzero())
    dtype = common(x, y)
    a, b = wanted(x), wanted(y)

    def backward(dz: np.ndarray) -> tuple:
        return (
            None if a is None else fit(np.where(chosen, dz, 0), a),
            None if b is None else fit(np.where(chosen, 0, dz), b),
        )

    z = np.where(chosen, _of_dtype(x, dtype), _of_dtype(y, dtype))
    return condition._record(z, (tensor_or_none(x), tensor_or_none(y)), backward)


def _of_dtype(value: Any, dtype: np.dtype) -> np.ndarray:
    return np.asarray(value.data if isinstance(value, Operand) else value).astype(dtype, copy=False)


def _common_dtype(op: str, tensors: Sequence[Any]) -> np.dtype:
    """Where all meet; TypeError for what is no sequence of tensors."""
    if not tensors or not all(isinstance(tensor, Operand) for tensor in tensors):
        kinds = [type(tensor).__name__ for tensor in tensors]
        raise TypeError(f"{op}: expected one tensor or more in a sequence, got {kinds}")
    dtype = tensors[0].data.dtype
    if all(tensor.data.dtype is dtype for tensor in tensors):
        return dtype
    return common(*tensors)


def _check_alike(op: str, shapes: list, sizes: list) -> None:
    """ValueError unless all sizes that must be equal are."""
    if any(each != sizes[0] for each in sizes):
        raise ValueError(f"{op}: expected shapes that fit together, got {shapes}")
