"""Tensor methods that reduce axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .broadcasting import quiet
from .numpy_names import renamed
from .operand import Operand, R
from .shaping import axis

Dim = int | Sequence[int] | None


class Reductions(Operand[R]):
    """`dim` is an axis, several where that makes sense, or None for all.

    `axis` and `keepdims` are other names of dim and keepdim, `dtype` is what to compute in.

    A tensor without axes has the axis 0, as in PyTorch. Raises IndexError for an axis that is not
    there, ValueError for one that is given twice.
    """

    __slots__ = ()

    @renamed
    def sum(
        self, dim: Dim = None, keepdim: bool = False, *, dtype: npt.DTypeLike | None = None
    ) -> R:
        """Accumulates in float64; integers and bools add up to int64.

        >>> import nnet as nn
        >>> nn.sum(nn.tensor([[1.0, 2.0], [3.0, 4.0]]), 0)
        tensor([4., 6.])
        """
        tensor = in_target(self, dtype)
        x = tensor.data
        axes = axes_of(dim, x.ndim) or None
        with quiet():
            y = wide_sum(x, axes, keepdim)
        if dtype is not None:
            y = y.astype(x.dtype, copy=False)
        shape = x.shape
        return tensor._record(y, (tensor,), lambda dy: _spread(dy, axes, keepdim, shape))

    @renamed
    def mean(
        self, dim: Dim = None, keepdim: bool = False, *, dtype: npt.DTypeLike | None = None
    ) -> R:
        """The sum over the number of elements; TypeError for integers.

        >>> import nnet as nn
        >>> nn.mean(nn.tensor([[1.0, 2.0], [3.0, 4.0]]), 1)
        tensor([1.5, 3.5])
        """
        tensor = in_target(self, dtype)
        x = floats_of("mean", tensor)
        axes = axes_of(dim, x.ndim) or None
        with quiet():
            y, count = _mean(x, axes, keepdim)
        shape, divisor = x.shape, x.dtype.type(count)
        return tensor._record(y, (tensor,), lambda dy: _spread(dy / divisor, axes, keepdim, shape))

    @renamed
    def var(
        self,
        dim: Dim = None,
        correction: float | None = None,
        keepdim: bool = False,
        *,
        unbiased: bool | None = None,
    ) -> R:
        """Sum of squared deviations over count - correction, which is 1 unless given.

        unbiased  False is a correction of 0, True of 1; also in the place of correction, or alone
        """
        dim, correction = _correction("var", dim, correction, unbiased)
        return _variance(self, "var", dim, correction, keepdim)

    @renamed
    def std(
        self,
        dim: Dim = None,
        correction: float | None = None,
        keepdim: bool = False,
        *,
        unbiased: bool | None = None,
    ) -> R:
        """The root of `var`; its gradient is 0 where all numbers are equal."""
        dim, correction = _correction("std", dim, correction, unbiased)
        return _variance(self, "std", dim, correction, keepdim)

    @renamed
    def all(self, dim: Dim = None, keepdim: bool = False) -> R:
        return self._record(np.all(self.data, axes_of(dim, self.data.ndim), keepdims=keepdim), ())

    @renamed
    def any(self, dim: Dim = None, keepdim: bool = False) -> R:
        return self._record(np.any(self.data, axes_of(dim, self.data.ndim), keepdims=keepdim), ())


def in_target(tensor: Any, dtype: npt.DTypeLike | None) -> Any:
    """The tensor in that dtype, if one is given."""
    return tensor if dtype is None else tensor.to(dtype)


def axes_of(dim: Dim, ndim: int) -> tuple[int, ...] | None:
    """The axes, each there and once; none of a tensor without axes, None for all."""
    if dim is None:
        return None
    if type(dim) is int and -ndim <= dim < ndim:
        return (dim,)
    given: Any = dim if isinstance(dim, tuple | list) else (dim,)
    axes = tuple([axis(each, ndim or 1) for each in given])
    if len(set(axes)) < len(axes):
        raise ValueError(f"dim: expected each axis once, got {dim}")
    return axes if ndim else ()


def floats_of(op: str, tensor: Operand) -> np.ndarray:
    x = tensor.data
    if x.dtype.kind != "f":
        raise TypeError(f"{op}: expected dtype float32 or float64, got {x.dtype}")
    return x


def wide_sum(x: np.ndarray, axes: tuple[int, ...] | None, keepdim: bool) -> np.ndarray:
    wide = np.float64 if x.dtype.kind == "f" else np.int64
    total = np.asarray(np.sum(x, axes, dtype=wide, keepdims=keepdim))
    return total.astype(x.dtype, copy=False) if x.dtype.kind == "f" else total


def _mean(x: np.ndarray, axes: tuple[int, ...] | None, keepdim: bool) -> tuple[np.ndarray, float]:
    """The means, and of how many numbers each is."""
    total = wide_sum(x, axes, keepdim)
    count = np.float64(x.size) / total.size if total.size else np.float64(0)
    return (total / count).astype(x.dtype), count


def _correction(
    op: str, dim: Dim, correction: float | None, unbiased: bool | None
) -> tuple[Dim, float]:
    """dim, and the correction; PyTorch takes `unbiased` alone in the place of dim, too."""
    if type(dim) is bool and unbiased is None:
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise TypeError(f"{op}: expected correction or unbiased, got both")
    if correction is None:
        correction = 1 if unbiased is None else int(unbiased)
    return dim, correction


def _variance(tensor: Operand[R], op: str, dim: Dim, correction: float, keepdim: bool) -> R:
    x = floats_of(op, tensor)
    axes = axes_of(dim, x.ndim) or None
    with quiet():
        mean, count = _mean(x, axes, True)
        deviation = x - mean
        divisor = x.dtype.type(max(count - correction, 0))
        y = wide_sum(deviation * deviation, axes, keepdim) / divisor
        if op == "std":
            y = np.sqrt(y)

    def backward(dy: np.ndarray) -> np.ndarray:
        if op == "std":
            dy = np.where(y == 0, 0, dy / (y + y))  # the deviations are 0 there too
        if axes is not None and not keepdim:
            dy = np.expand_dims(dy, axes)
        return deviation * (dy * (2 / divisor))

    return tensor._record(y, (tensor,), backward)


def _spread(
    dy: np.ndarray, axes: tuple[int, ...] | None, keepdim: bool, shape: tuple[int, ...]
) -> np.ndarray:
    """The gradient of a sum: dy again for each element that was summed."""
    if axes is not None and not keepdim:
        dy = np.expand_dims(dy, axes)
    return np.broadcast_to(dy, shape)
