"""What numbers of a dtype can be."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["finfo", "iinfo"]


class finfo:
    """Limits of a type of floats, as Python's numbers: float32 where none is given.

    min, max          the most negative number, and the largest
    eps               from 1 to the next number
    tiny              the smallest positive number of full precision, also `smallest_normal`
    resolution, bits  of decimals, and the size

    Raises TypeError for integers.

    >>> import nnet as nn
    >>> nn.finfo(nn.float64).eps, nn.finfo().max > 3e38
    (2.220446049250313e-16, True)
    """

    def __init__(self, type: npt.DTypeLike = np.float32) -> None:
        dtype = np.dtype(type)
        if dtype.kind != "f":
            raise TypeError(f"finfo: expected a dtype of floats, got {dtype}; iinfo is for others")
        found = np.finfo(dtype)
        self.dtype, self.bits = dtype.name, found.bits
        self.min, self.max = float(found.min), float(found.max)
        self.eps, self.resolution = float(found.eps), 10.0**-found.precision
        self.tiny = self.smallest_normal = float(found.tiny)

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, "
            f"eps={self.eps:g}, smallest_normal={self.tiny:g}, tiny={self.tiny:g}, "
            f"dtype={self.dtype})"
        )

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)


class iinfo:
    """Limits of a type of integers: `min`, `max` and `bits`. Raises TypeError for others.

    >>> import nnet as nn
    >>> nn.iinfo(nn.int8)
    iinfo(min=-128, max=127, dtype=int8)
    """

    def __init__(self, type: npt.DTypeLike) -> None:
        dtype = np.dtype(type)
        if type is None or dtype.kind not in "iu":
            raise TypeError(f"iinfo: expected a dtype of integers, got {dtype if type else None}")
        found = np.iinfo(dtype)
        self.dtype, self.bits = dtype.name, found.bits
        self.min, self.max = int(found.min), int(found.max)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)
