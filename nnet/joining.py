"""One tensor from several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .broadcasting import fit, wanted
from .tape import Operand

if TYPE_CHECKING:
    from .tensor import Tensor


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join along an axis that is there.

    >>> import nnet as nn
    >>> nn.cat([nn.zeros(2, 3), nn.ones(1, 3)]).shape
    (3, 3)
    """
    _check_sequence("cat", tensors)
    joined = np.concatenate([tensor.data for tensor in tensors], dim)
    stops = np.cumsum([tensor.data.shape[dim] for tensor in tensors])[:-1]
    return tensors[0]._record(joined, tensors, lambda dy: np.split(dy, stops, dim))


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join along a new axis.

    >>> import nnet as nn
    >>> nn.stack([nn.zeros(3), nn.ones(3)], dim=1).shape
    (3, 2)
    """
    _check_sequence("stack", tensors)
    joined = np.stack([tensor.data for tensor in tensors], dim)
    return tensors[0]._record(joined, tensors, lambda dy: tuple(np.moveaxis(dy, dim, 0)))


def where(condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """x where the condition holds, else y; all three broadcast.

    >>> import nnet as nn
    >>> x = nn.tensor([-1.0, 2.0])
    >>> nn.where(x > 0, x, nn.zeros(2))
    tensor([0., 2.])
    """
    chosen = condition.data
    a, b = wanted(x), wanted(y)
    return x._record(
        np.where(chosen, x.data, y.data),
        (x, y),
        lambda dz: (
            fit(np.where(chosen, dz, 0), a),
            fit(np.where(chosen, 0, dz), b),
        ),
    )


def _check_sequence(name: str, tensors: Sequence[Any]) -> None:
    if not tensors or not all(isinstance(tensor, Operand) for tensor in tensors):
        kinds = [type(tensor).__name__ for tensor in tensors]
        raise TypeError(f"{name}: expected one tensor or more in a sequence, got {kinds}")
