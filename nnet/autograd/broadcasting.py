"""How operands meet: dtypes, broadcasting, and its way back."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from .operand import Operand

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
        return (x, other) if x.dtype.kind == "f" else _whole_and_number(tensor, other)
    if x.dtype is not y.dtype:
        dtype = common(tensor, other)
        x, y = x.astype(dtype, copy=False), y.astype(dtype, copy=False)
    return x, y


def _whole_and_number(tensor: Operand, number: float) -> tuple[np.ndarray, float]:
    """Integers or bool and a number, both in their common dtype, which wraps as PyTorch's does."""
    dtype = common(tensor, number)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        if not limits.min <= number <= limits.max:
            number = np.asarray(number).astype(dtype).item()
    return tensor.data.astype(dtype, copy=False), number


def to_write(tensor: Operand, other: Any) -> Any:
    """The second operand of what is written to the tensor: integers in its dtype, which wraps."""
    x, y = arrays(tensor, other)
    own = tensor.data.dtype
    if own.kind in "iu" and x.dtype.kind in "iu" and isinstance(y, np.ndarray):
        return y.astype(own, copy=False)
    return y


def floats(tensor: Operand) -> np.ndarray:
    """The array, as float32 if it holds integers."""
    x = tensor.data
    return x if x.dtype.kind == "f" else x.astype(np.float32)


def common(*operands: Any) -> np.dtype:
    """The dtype in which tensors, arrays and Python numbers meet, as in PyTorch.

    Floats win over integers and these over bool; among the winners arrays with axes over those
    without, these over Python's numbers; then the wider one.
    """
    ranked = [_rank(each) for each in operands]
    kind = max(kind for kind, _, _ in ranked)
    rank = max(rank for of, rank, _ in ranked if of == kind)
    return np.result_type(*(dtype for of, by, dtype in ranked if (of, by) == (kind, rank)))


def in_dtype(value: Any, dtype: np.dtype) -> np.ndarray:
    """The array of a tensor, an array or a number, of that dtype."""
    return np.asarray(value.data if isinstance(value, Operand) else value).astype(dtype, copy=False)


def _rank(operand: Any) -> tuple[int, int, np.dtype]:
    """(kind, whether a tensor with axes or none or a number, dtype)."""
    if isinstance(operand, Operand):
        dtype, rank = operand.data.dtype, 2 if operand.data.ndim else 1
    elif isinstance(operand, np.ndarray) and operand.ndim:
        dtype, rank = operand.dtype, 2
    else:
        dtype, rank = _of_number(operand), 0
    if dtype.kind not in _KINDS:
        raise TypeError(f"expected an array of floats, integers or bool, got {dtype}")
    return _KINDS[dtype.kind], rank, dtype


def _of_number(number: Any) -> np.dtype:
    if isinstance(number, np.generic | np.ndarray):
        number = number.item()
    for of, dtype in ((bool, np.bool_), (int, np.int64), (float, np.float32)):
        if isinstance(number, of):
            return np.dtype(dtype)
    raise TypeError(f"expected a tensor, an array or a number, got {type(number).__name__}")


_KINDS = {"b": 0, "i": 1, "u": 1, "f": 2}


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
