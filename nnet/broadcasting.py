"""How operands meet: dtypes, broadcasting, and its way back."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from .tape import Operand

# Overflow, division by zero and NaN are values to look at, not warnings.
quiet = partial(np.errstate, all="ignore")


def arrays(tensor: Operand, other: Any) -> tuple[Any, Any]:
    """Both operands as arrays of one dtype, or the second as a Python number."""
    x = tensor.data
    if isinstance(other, Operand):
        y = other.data
    elif isinstance(other, np.ndarray) and other.ndim:
        y = other
    else:
        if isinstance(other, np.generic | np.ndarray):
            other = other.item()
        if not isinstance(other, int | float):
            raise TypeError(f"expected a tensor, an array or a number, got {type(other).__name__}")
        if type(other) is float and x.dtype.kind != "f":
            x = x.astype(np.float32)
        return x, other
    if x.dtype is not y.dtype:
        dtype = _common(x, y)
        x, y = x.astype(dtype, copy=False), y.astype(dtype, copy=False)
    return x, y


def floats(tensor: Operand) -> np.ndarray:
    """The array, as float32 if it holds integers."""
    x = tensor.data
    return x if x.dtype.kind == "f" else x.astype(np.float32)


def _common(x: np.ndarray, y: np.ndarray) -> np.dtype:
    """PyTorch's rule: floats win over integers, then arrays over scalars, then the wider."""
    if (x.dtype.kind == "f") != (y.dtype.kind == "f"):
        return x.dtype if x.dtype.kind == "f" else y.dtype
    if (x.ndim == 0) != (y.ndim == 0) and x.dtype.kind == y.dtype.kind:
        return x.dtype if x.ndim else y.dtype
    return np.result_type(x, y)


def tensor_or_none(value: Any) -> Operand | None:
    return value if isinstance(value, Operand) else None


def wanted(value: Any) -> tuple[int, ...] | None:
    """The shape that a gradient must have, None where no gradient is needed."""
    return value.data.shape if isinstance(value, Operand) and value.requires_grad else None


def fit(gradient: np.ndarray, shape: tuple[int, ...] | None) -> np.ndarray | None:
    """Undo broadcasting: sum over the axes that were added or stretched."""
    if shape is None or gradient.shape == shape:
        return gradient if shape is not None else None
    added = gradient.ndim - len(shape)
    stretched = [
        added + axis
        for axis, size in enumerate(shape)
        if size == 1 and gradient.shape[added + axis] != 1
    ]
    total = gradient.sum(axis=(*range(added), *stretched), dtype=np.float64)
    return total.astype(gradient.dtype).reshape(shape)
