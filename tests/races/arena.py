"""Copies of a kernel's arguments in one block of memory, apart from each other."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.array_utils import byte_bounds

# More than a value's bytes, so that what reaches beyond an array is seen.
_GAP = 1024
# Kernels that look at an address look at no more of it.
_ALIGNED = 64


class Array(NamedTuple):
    """An argument, or a member of one; copy begins `offset` bytes into the arena."""

    name: str
    copy: np.ndarray
    offset: int


class Arena:
    """bytes   the memory in which `launch` works
    inside  of each byte, whether it belongs to an array
    shared  of each byte, whether it belongs to one that is not scratch
    itemsize  divides that of every array
    """

    def __init__(self, arguments: dict[str, Any]) -> None:
        arrays = dict(_arrays(arguments))
        blocks = _blocks(list(arrays.values()))
        self.itemsize = math.gcd(*(array.itemsize for array in arrays.values()))
        places, size = {}, _GAP
        for low, high in blocks:
            size += (low - size) % _ALIGNED
            places[low] = size
            size += high - low + _GAP
        memory = np.zeros(size + _ALIGNED, np.uint8)
        begin = -memory.ctypes.data % _ALIGNED
        self.bytes = memory[begin : begin + size]
        self.inside, self.shared = np.zeros(size, bool), np.zeros(size, bool)
        self.arrays = []
        for name, array in arrays.items():
            low = byte_bounds(array)[0] if array.size else 0
            block = max((b for b, high in blocks if b <= low), default=0)
            offset = places[block] + low - block if array.size else 0
            first = offset + (array.ctypes.data - low if array.size else 0)
            copy = np.ndarray(array.shape, array.dtype, self.bytes, first, array.strides)
            copy[...] = array
            copy.flags.writeable = array.flags.writeable
            self.arrays.append(Array(name, copy, offset))
            self._mark(self.inside, copy, first)
            if not name.startswith("work"):
                self._mark(self.shared, copy, first)
        copies = {array.name: array.copy for array in self.arrays}
        self._arguments = _replaced(arguments, copies)
        self._initial = self.bytes.copy()

    @property
    def address(self) -> int:
        return self.bytes.ctypes.data

    def launch(self, function: Callable) -> np.ndarray:
        """All bytes after `function` has worked on the arguments as they came."""
        self.bytes[:] = self._initial
        function(**self._arguments)
        return self.bytes.copy()

    def describe(self, offset: int) -> str:
        """The element at a byte of the arena, or beside which array it lies."""
        for name, copy, first in self.arrays:
            if copy.size and self.inside[offset] and 0 <= offset - first < copy.nbytes:
                if copy.flags.c_contiguous:
                    index = np.unravel_index((offset - first) // copy.itemsize, copy.shape)
                    return f"{name}[{', '.join(map(str, map(int, index)))}]"
                return f"{name}, byte {offset - first}"
        near = min(
            (a for a in self.arrays if a.copy.size),
            key=lambda a: min(abs(offset - a.offset), abs(offset - a.offset - a.copy.nbytes)),
        )
        return f"byte {offset - near.offset} of {near.name}, which has {near.copy.nbytes}"

    @staticmethod
    def _mark(mask: np.ndarray, copy: np.ndarray, first: int) -> None:
        shape, strides = (*copy.shape, copy.itemsize), (*copy.strides, 1)
        np.ndarray(shape, bool, mask, first, strides)[...] = True


def _arrays(arguments: dict[str, Any]) -> list[tuple[str, np.ndarray]]:
    found: list[tuple[str, np.ndarray]] = []
    for name, value in arguments.items():
        if isinstance(value, np.ndarray):
            found.append((name, value))
        elif isinstance(value, tuple):
            found += _arrays({f"{name}[{at}]": each for at, each in enumerate(value)})
    return found


def _replaced(arguments: dict[str, Any], copies: dict[str, np.ndarray]) -> dict[str, Any]:
    def replaced(name: str, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return copies[name]
        if isinstance(value, tuple):
            members = [replaced(f"{name}[{at}]", each) for at, each in enumerate(value)]
            return type(value)(*members) if hasattr(value, "_fields") else tuple(members)
        return value

    return {name: replaced(name, value) for name, value in arguments.items()}


def _blocks(arrays: list[np.ndarray]) -> list[tuple[int, int]]:
    """First and last address of stretches of memory that arrays share."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(byte_bounds(array) for array in arrays if array.size):
        if merged and low < merged[-1][1]:
            merged[-1] = merged[-1][0], max(high, merged[-1][1])
        else:
            merged.append((low, high))
    return merged
