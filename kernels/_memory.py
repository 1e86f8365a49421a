"""Pooled buffers: what a kernel writes is taken from here and comes back by itself.

`empty` gives an ordinary array. Its block returns to the pool when the last array that looks
into it dies, so a training step, once warm, asks the operating system for nothing.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

ALIGNMENT = 64

# {name: (shape, dtype)}, or a dictionary of such in the place of a pair.
Scratch = Mapping[str, Any]

# Below this malloc keeps the memory itself, and is faster.
SMALLEST_POOLED = 1 << 16

# More than this lying idle is given up before the system is asked for another block.
IDLE_LIMIT = 2 << 30

# Size class -> idle (memory, offset of the aligned start). Appending to and popping from a
# list are atomic, which is all the locking there is.
_idle: dict[int, list[tuple[bytearray, int]]] = {}


class _Block(np.ndarray):
    """A view of pooled memory that every array made from it holds; its death frees the memory.

    The memory is a bytearray, since NumPy shortens a chain of views to the array at its end.
    """

    memory: tuple[bytearray, int]

    # The pool as a default: at exit the module may have lost its names before an array dies.
    def __del__(self, idle: dict[int, list[tuple[bytearray, int]]] = _idle) -> None:
        if "memory" in self.__dict__:
            idle[self.nbytes].append(self.memory)


def empty(shape: int | Sequence[int], dtype: npt.DTypeLike) -> np.ndarray:
    """An uninitialized C-contiguous array; one of 64 KiB or more is aligned to 64 bytes."""
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    if size < SMALLEST_POOLED:
        return np.empty(shape, dtype)
    size = _size_class(size)
    try:
        memory = _idle[size].pop()
    except (KeyError, IndexError):
        memory = _new_memory(size)
    block = np.ndarray.__new__(_Block, (size,), np.uint8, *memory)
    block.memory = memory
    return np.ndarray(shape, dtype, block)


def zeros(shape: int | Sequence[int], dtype: npt.DTypeLike) -> np.ndarray:
    """Like `empty`, filled with zeros."""
    array = empty(shape, dtype)
    array.fill(0)
    return array


def scratch(needed: Scratch) -> dict[str, Any]:
    """Arrays for an implementation to work in: where `f` takes `work_*`, `f_scratch` names them."""
    return {
        name: scratch(array) if isinstance(array, dict) else empty(*array)
        for name, array in needed.items()
    }


def frozen(array: np.ndarray) -> np.ndarray:
    """The array, which nobody may write from now on: a table that a cache keeps."""
    array.flags.writeable = False
    return array


def is_block(base: object) -> bool:
    """Whether an array whose base is this lies in the pool, and no other array does there."""
    return isinstance(base, _Block)


def idle_bytes() -> int:
    """How much memory the pool holds that no array uses."""
    return sum(size * len(blocks) for size, blocks in list(_idle.items()))


def release() -> None:
    """Give all idle blocks back to the operating system."""
    for blocks in list(_idle.values()):
        blocks.clear()


def _size_class(size: int) -> int:
    """Round up to an eighth of the next lower power of two: at most 12.5 % are wasted."""
    step = 1 << (size.bit_length() - 4)
    return -(-size // step) * step


def _new_memory(size: int) -> tuple[bytearray, int]:
    _idle.setdefault(size, [])
    if idle_bytes() > IDLE_LIMIT:
        release()
    memory = bytearray(size + ALIGNMENT)
    return memory, -np.frombuffer(memory, np.uint8).ctypes.data % ALIGNMENT
