"""Tensor methods that hand the values on, to Python, NumPy and the reader."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .operand import Operand, R


class Conversion(Operand[R]):
    """None of them is recorded."""

    __slots__ = ()

    def item(self) -> Any:
        """The only element as a Python number; ValueError if there is not exactly one."""
        if self.data.size != 1:
            shape = self.data.shape
            raise ValueError(f"item: expected a tensor of one element, got shape {shape}")
        return self.data.item()

    def tolist(self) -> Any:
        return self.data.tolist()

    def numpy(self) -> np.ndarray:
        """The array itself, not a copy, and outside the tape."""
        return self.data

    def __bool__(self) -> bool:
        return bool(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.data.dtype.kind not in "iu":
            raise TypeError(f"index: expected an integer tensor, got {self.data.dtype}")
        return int(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.data, dtype, copy=copy)

    def __format__(self, spec: str) -> str:
        return format(self.item() if not self.data.ndim else repr(self), spec)

    def __repr__(self) -> str:
        text = np.array2string(self.data, separator=", ", prefix="tensor(", threshold=100)
        if self.data.dtype not in (np.float32, np.int64, np.bool_):
            text += f", dtype={self.data.dtype}"
        if self.requires_grad:
            text += ", requires_grad=True"
        return f"tensor({text})"
