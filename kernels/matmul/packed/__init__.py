"""Both matrices packed: fits every product, and is the fastest where all of them are large."""

import numpy as np

from kernels._jit import thread_rows
from kernels._memory import Scratch
from kernels._tile import KC, MR, panel_columns
from kernels.matmul.packed.cpu import accumulate, product
from kernels.matmul.problem import Problem

__all__ = [
    "accumulate",
    "accumulate_scratch",
    "applies",
    "pays",
    "product",
    "product_scratch",
]


def applies(problem: Problem) -> bool:
    return True


def pays(problem: Problem) -> bool:
    return True


def product_scratch(a: np.ndarray, b: np.ndarray, transpose_a: bool) -> Scratch:
    """A packed; a panel of B and a micro-tile for each thread."""
    m, depth = a.shape[::-1] if transpose_a else a.shape
    threads, columns = thread_rows(), panel_columns(a.dtype)
    return {
        "work_a": (-(-m // MR) * MR * depth, a.dtype),
        "work_b": ((threads, min(depth, KC) * columns), a.dtype),
        "work_spare": ((threads, MR * columns), a.dtype),
    }


accumulate_scratch = product_scratch
