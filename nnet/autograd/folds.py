"""Tensor methods that fold an axis, or all: products, running sums, extremes with equal shares."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .broadcasting import quiet
from .numpy_names import renamed
from .operand import Operand, R
from .reductions import Dim, axes_of, in_target
from .shaping import axis

__all__ = ["amax", "amin", "prod", "cumsum"]


class Folds(Operand[R]):
    """`axis` and `keepdims` are other names of dim and keepdim. Raises IndexError for no axis."""

    __slots__ = ()

    @renamed
    def amax(self, dim: Dim = (), keepdim: bool = False) -> R:
        """The largest elements along one axis or several, or of all; NaN where there is one.

        Equal elements share the gradient. Raises ValueError where there is none.

        >>> import nnet as nn
        >>> nn.amax(nn.tensor([[1.0, 5.0], [4.0, 2.0]]), 1)
        tensor([5., 4.])
        """
        return _extreme(self, "amax", dim, keepdim, np.max)

    @renamed
    def amin(self, dim: Dim = (), keepdim: bool = False) -> R:
        """As `amax`, the smallest elements.

        >>> import nnet as nn
        >>> nn.amin(nn.tensor([[1.0, 5.0], [4.0, 2.0]]), (0, 1))
        tensor(1.)
        """
        return _extreme(self, "amin", dim, keepdim, np.min)

    @renamed
    def prod(
        self, dim: int | None = None, keepdim: bool = False, *, dtype: npt.DTypeLike | None = None
    ) -> R:
        """The product along an axis, or of all; in `dtype`, by default int64 for integers and bool.

        >>> import nnet as nn
        >>> nn.prod(nn.tensor([[1.0, 5.0], [4.0, 2.0]]), 1)
        tensor([5., 8.])
        """
        tensor = in_target(self, dtype)
        x = tensor.data
        if dtype is None and x.dtype.kind != "f":
            x = x.astype(np.int64)
        along = None if dim is None else axis(dim, x.ndim or 1) if x.ndim else None
        wide = np.float64 if x.dtype.kind == "f" else x.dtype
        with quiet():
            kept = np.prod(x, along, dtype=wide, keepdims=True).astype(x.dtype, copy=False)

        def backward(dy: np.ndarray) -> np.ndarray:
            with quiet():
                return dy.reshape(kept.shape) * _products_of_others(x, kept, along)

        keepdim = keepdim and (dim is not None)
        y = kept if keepdim else kept.squeeze(along)
        return tensor._record(y, (tensor,), backward)

    @renamed
    def cumsum(self, dim: int, *, dtype: npt.DTypeLike | None = None) -> R:
        """The sum of the elements up to each one along an axis; integers and bool become int64.

        >>> import nnet as nn
        >>> nn.cumsum(nn.tensor([1.0, 2.0, 3.0]), 0)
        tensor([1., 3., 6.])
        """
        tensor = in_target(self, dtype)
        x = tensor.data
        along = axis(dim, x.ndim or 1)
        y = _running(x, along, np.int64 if dtype is None else x.dtype)

        def backward(dy: np.ndarray) -> np.ndarray:
            return np.flip(_running(np.flip(dy, along), along, dy.dtype), along)

        return tensor._record(y, (tensor,), backward if x.ndim else lambda dy: dy)


amax, amin, prod, cumsum = Folds.amax, Folds.amin, Folds.prod, Folds.cumsum


def _extreme(tensor: Operand[R], op: str, dim: Dim, keepdim: bool, reduce: Any) -> R:
    x = tensor.data
    axes = axes_of(dim, x.ndim) or None
    lengths = x.shape if axes is None else [x.shape[each] for each in axes]
    if 0 in lengths:
        raise ValueError(f"{op}: expected elements along dim {dim}, got shape {x.shape}")
    kept = reduce(x, axes, keepdims=True)

    def backward(dy: np.ndarray) -> np.ndarray:
        equal = (x == kept) | (np.isnan(x) & np.isnan(kept))
        share = dy.reshape(kept.shape) / equal.sum(axes, keepdims=True, dtype=x.dtype)
        return np.where(equal, share, 0)

    return tensor._record(kept if keepdim else kept.squeeze(axes), (tensor,), backward)


def _products_of_others(x: np.ndarray, product: np.ndarray, along: int | None) -> np.ndarray:
    """For each element the product of the others: that of all over itself, if none is 0."""
    zero = x == 0
    if not zero.any():
        return product / x
    count = zero.sum(along, keepdims=True)
    rest = np.prod(np.where(zero, 1, x), along, dtype=np.float64, keepdims=True).astype(x.dtype)
    return np.where(count == 0, product / x, np.where((count == 1) & zero, rest, 0))


def _running(x: np.ndarray, along: int, whole: npt.DTypeLike) -> np.ndarray:
    """Running sums, of floats in float64."""
    if not x.ndim:
        return x.astype(x.dtype if x.dtype.kind == "f" else whole)
    if x.dtype.kind != "f":
        return np.cumsum(x, along, dtype=whole)
    with quiet():
        return np.cumsum(x, along, dtype=np.float64).astype(x.dtype, copy=False)
