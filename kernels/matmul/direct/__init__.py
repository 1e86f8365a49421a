"""Nothing of A packed, B where it pays: for small matrices, and for few columns."""

import numpy as np

from kernels import _jit, _memory
from kernels._simd import REGISTER_BYTES
from kernels.matmul.direct.cpu import WORK_PANEL, WORK_SUMS, fill_shares, product, product_stacks
from kernels.matmul.problem import Problem

__all__ = [
    "MOST_DEPTH",
    "applies",
    "fill_shares",
    "pays",
    "product",
    "product_stacks",
    "scratch",
    "work_size",
]

# Panels of B are kept whole, one for each thread.
MOST_DEPTH = 1 << 12

# Packing A pays if it does not fit in L2 and is multiplied by more than two panels of columns.
DIRECT_A, DIRECT_PANELS = 1 << 15, 2


def applies(problem: Problem) -> bool:
    return problem.depth <= MOST_DEPTH


def pays(problem: Problem) -> bool:
    narrow = problem.n * problem.itemsize <= DIRECT_PANELS * 3 * REGISTER_BYTES
    return narrow or problem.m * problem.depth <= DIRECT_A


def scratch(problem: Problem, dtype: np.dtype) -> dict[str, np.ndarray]:
    """A micro-tile and a panel of B for each thread."""
    size = work_size(problem.depth, dtype.itemsize)
    return {"work": _memory.empty((_jit.thread_rows(), size), dtype)}


def work_size(depth: int, itemsize: int) -> int:
    """Elements of scratch that one thread needs."""
    return (WORK_SUMS + WORK_PANEL * depth) * REGISTER_BYTES // itemsize
