"""Norms of tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .broadcasting import quiet
from .operand import Operand, R
from .reductions import Dim, axes_of, floats_of, in_target, wide_sum

__all__ = ["norm"]


class Norms(Operand[R]):
    """`dim` is an axis, several, or None for all."""

    __slots__ = ()

    def norm(
        self,
        p: Any = "fro",
        dim: Dim = None,
        keepdim: bool = False,
        dtype: npt.DTypeLike | None = None,
    ) -> R:
        """(sum of |x|^p)^(1/p), of all elements or along `dim`.

        p      any number; inf and -inf are the largest and the smallest |x|, 0 counts what is not
               0; "fro", or None, is 2; "nuc" sums the singular values of matrices in two axes
        dtype  to compute in

        The gradient is 0 where the norm is 0; elements that are equally large share it. Raises
        TypeError for integers, ValueError for another p, and for inf or a negative p of nothing.

        >>> import nnet as nn
        >>> nn.norm(nn.tensor([[3.0, 4.0], [6.0, 8.0]]), dim=1)
        tensor([ 5., 10.])
        """
        tensor = in_target(self, dtype)
        x = floats_of("norm", tensor)
        if p == "nuc":
            return _nuclear(tensor, x, dim, keepdim)
        order = _order(p)
        axes = axes_of(dim, x.ndim) or None
        with quiet():
            y = np.asarray(_norm(x, order, axes))
        kept = np.expand_dims(y, axes or tuple(range(x.ndim)))

        def backward(dy: np.ndarray) -> tuple[np.ndarray | None]:
            with quiet():
                return (_gradient(dy.reshape(kept.shape), x, kept, order, axes),)

        return tensor._record(kept if keepdim else y, (tensor,), backward)


norm = Norms.norm


def _order(p: Any) -> float:
    if p is None or p == "fro":
        return 2.0
    if isinstance(p, bool) or not isinstance(p, int | float | np.number):
        raise ValueError(f"norm: expected p as a number, 'fro' or 'nuc', got {p!r}")
    return float(p)


def _norm(x: np.ndarray, p: float, axes: tuple[int, ...] | None) -> np.ndarray:
    if p < 0 or np.isinf(p):
        if not x.size and np.max(np.ones(x.shape), axes, initial=0).size:
            raise ValueError(f"norm: expected elements for p = {p}, got shape {x.shape}")
        if np.isinf(p):
            return np.abs(x).max(axes) if p > 0 else np.abs(x).min(axes)
    if p == 0:
        return np.count_nonzero(x, axes).astype(x.dtype)
    if p == 1:
        return wide_sum(np.abs(x), axes, False)
    wide = x.astype(np.float64, copy=False)
    if p == 2:
        return np.sqrt(np.sum(wide * wide, axes)).astype(x.dtype)
    return (np.sum(np.abs(wide) ** p, axes) ** (1 / p)).astype(x.dtype)


def _gradient(
    dy: np.ndarray, x: np.ndarray, y: np.ndarray, p: float, axes: tuple[int, ...] | None
) -> np.ndarray | None:
    """dx, of p = 0 none; y is the norm, with the axes that were reduced as ones."""
    if p == 0:
        return None
    if p == 1:
        return dy * np.sign(x)
    if np.isinf(p):
        extreme = (np.abs(x) == y) | np.isnan(x)
        count = extreme.sum(axes, keepdims=True, dtype=x.dtype)
        return np.where(extreme, np.sign(x) * (dy / count), 0)
    if p == 2:
        return np.where(y == 0, 0, x * (dy / y))
    below = np.where(x == 0, 0, np.sign(x) * np.abs(x) ** x.dtype.type(p - 1))
    return np.where(y == 0, 0, below * (dy * y ** x.dtype.type(1 - p)))


def _nuclear(tensor: Operand[R], x: np.ndarray, dim: Dim, keepdim: bool) -> R:
    axes = axes_of(dim, x.ndim) or tuple(range(x.ndim))
    if len(axes) != 2:
        raise ValueError(f"norm: expected two axes for 'nuc', got {len(axes)}")
    left, values, right = np.linalg.svd(np.moveaxis(x, axes, (-2, -1)), full_matrices=False)
    y = values.sum(-1)
    kept = np.expand_dims(y, axes)

    def backward(dy: np.ndarray) -> np.ndarray:
        return dy.reshape(kept.shape) * np.moveaxis(left @ right, (-2, -1), axes)

    return tensor._record(kept if keepdim else y, (tensor,), backward)
