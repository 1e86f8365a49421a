"""Nothing of A packed, B where it pays: for small matrices, and for few columns."""

import numpy as np

from kernels._jit import thread_rows
from kernels._memory import Scratch
from kernels._simd import REGISTER_BYTES
from kernels.matmul.direct.cpu import WORK_PANEL, WORK_SUMS, product, product_alone, product_stacks
from kernels.matmul.problem import Problem

__all__ = [
    "MOST_DEPTH",
    "applies",
    "pays",
    "product",
    "product_alone",
    "product_scratch",
    "product_stacks",
    "product_stacks_scratch",
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


def product_scratch(a: np.ndarray, b: np.ndarray, transpose_a: bool) -> Scratch:
    """A micro-tile and a panel of B for each thread; a may be a stack."""
    depth = a.shape[-2 if transpose_a else -1]
    return {"work": ((thread_rows(), work_size(depth, a.itemsize)), a.dtype)}


product_stacks_scratch = product_scratch


def work_size(depth: int, itemsize: int) -> int:
    """Elements of scratch that one thread needs."""
    return (WORK_SUMS + WORK_PANEL * depth) * REGISTER_BYTES // itemsize
