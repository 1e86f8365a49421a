"""Products of vectors, matrices and stacks of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels import matmul as matmul_op

from .broadcasting import arrays


def matmul(tensor: Any, other: Any) -> Any:
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
    row, column = a.ndim == 1, b.ndim == 1
    y, saved = matmul_op.forward(a[None] if row else a, b[:, None] if column else b)
    y_shape, a_shape, b_shape = y.shape, a.shape, b.shape
    if column:
        y = y[..., 0]
    if row:
        y = y[..., 0] if column else y[..., 0, :]

    def backward(dy: np.ndarray) -> tuple:
        da, db, _ = matmul_op.backward(dy.reshape(y_shape), saved, needs)
        return (
            None if da is None else da.reshape(a_shape),
            None if db is None else db.reshape(b_shape),
        )

    return tensor._record(y, (tensor, other), backward)
