"""A as it lies, B packed: for many more rows than B has rows or columns."""

import numpy as np

from kernels._jit import thread_rows
from kernels._memory import Scratch
from kernels._simd import VALUE_BYTES
from kernels._tile import KC
from kernels.matmul.problem import Problem
from kernels.matmul.tall.cpu import ROWS, product

__all__ = ["applies", "pays", "product", "product_scratch"]

# With so many times more rows than B has rows or columns, A is not worth packing, unless the sums
# are longer than this.
TALL, TALL_DEPTH = 4, 1 << 9


def applies(problem: Problem) -> bool:
    """Whether rows of A lie as such, and columns make whole panels."""
    return not problem.transpose_a and problem.n * problem.itemsize % VALUE_BYTES == 0


def pays(problem: Problem) -> bool:
    high = problem.m >= TALL * max(problem.n, problem.depth)
    return high and problem.depth <= TALL_DEPTH


def product_scratch(a: np.ndarray, b: np.ndarray, transpose_a: bool) -> Scratch:
    """B packed, and a block of sums for each thread."""
    depth = a.shape[1]
    sums = ROWS * (b.size // depth) if depth > KC else 0
    return {"work_b": (b.size, b.dtype), "work_sums": ((thread_rows(), sums), a.dtype)}
