"""Powers, as PyTorch has them."""

from __future__ import annotations

from typing import Any

import numpy as np

# NumPy has products of its own for -1 to 2, and takes a hundred times as long for these. Products
# are as exact as the few steps that they take.
_WHOLE = frozenset((-2, *range(3, 9)))


def power(x: Any, exponent: Any) -> Any:
    """x**exponent; by products for small whole numbers."""
    if isinstance(exponent, np.ndarray):
        if exponent.dtype.kind == "i" and np.any(exponent < 0):
            return _of_integers(x, exponent)
        return x**exponent
    if exponent not in _WHOLE or x.dtype.kind != "f":
        return x**exponent
    count = abs(int(exponent))
    product, square = None, x
    while count > 1:
        if count & 1:
            product = square if product is None else product * square
        square = square * square
        count >>= 1
    y = square if product is None else product * square
    return y if exponent > 0 else 1 / y


def _of_integers(x: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """Cut off to whole numbers, so 0 for negative exponents unless x is 1 or -1."""
    unit = np.where(np.abs(x) == 1, x ** (exponent & 1), 0)
    return np.where(exponent < 0, unit, x ** np.maximum(exponent, 0))


def power_backward(dy: Any, x: Any, exponent: Any) -> Any:
    """The gradient in x of x**exponent; 0 for the exponent 0."""
    if isinstance(exponent, np.ndarray):
        below = np.where(exponent == 0, 1, exponent - 1)
        return np.where(exponent == 0, 0, dy * (exponent * x**below))
    return dy * (exponent * power(x, exponent - 1)) if exponent else np.zeros_like(dy)
