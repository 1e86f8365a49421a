"""Products of vectors, matrices and stacks of matrices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels import matmul as matmul_op

from .broadcasting import arrays, fit

if TYPE_CHECKING:
    from .tensor import Tensor


def matmul(tensor: Any, other: Any) -> Tensor:
    """As NumPy's: vectors, matrices, and stacks of matrices, which broadcast."""
    a, b = arrays(tensor, other)
    if not a.ndim or not b.ndim or a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        raise ValueError(
            f"matmul: expected the last axis of the first operand to be as long as the last but "
            f"one of the second, got shapes {a.shape} and {b.shape}"
        )
    if a.dtype.kind != "f":
        return tensor._record(a @ b, ())
    needs = tensor.requires_grad, other.requires_grad, False
    if b.ndim <= 2:
        shape = a.shape[:-1] + b.shape[1:]
        rows = a.reshape(math.prod(a.shape[:-1]), a.shape[-1])
        columns = b if b.ndim == 2 else b[:, None]
        y, saved = matmul_op.forward(rows, columns)
        y_shape, a_shape, b_shape = y.shape, a.shape, b.shape

        def backward(dy: np.ndarray) -> tuple:
            da, db, _ = matmul_op.backward(dy.reshape(y_shape), saved, needs)
            return (
                None if da is None else da.reshape(a_shape),
                None if db is None else db.reshape(b_shape),
            )

        return tensor._record(y.reshape(shape), (tensor, other), backward)

    def backward_stacks(dy: np.ndarray) -> tuple:
        row, dy = (a[None], dy[..., None, :]) if a.ndim == 1 else (a, dy)
        return (
            fit(_drop_row(dy @ b.swapaxes(-1, -2), a.ndim), a.shape) if needs[0] else None,
            fit(row.swapaxes(-1, -2) @ dy, b.shape) if needs[1] else None,
        )

    return tensor._record(a @ b, (tensor, other), backward_stacks)


def _drop_row(da: np.ndarray, ndim: int) -> np.ndarray:
    return da[..., 0, :] if ndim == 1 else da
