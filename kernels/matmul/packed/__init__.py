"""Both matrices packed: fits every product, and is the fastest where all of them are large."""

import numpy as np

from kernels import _jit, _memory
from kernels._tile import KC, MR, panel_columns
from kernels.matmul.packed.cpu import accumulate, product
from kernels.matmul.problem import Problem

__all__ = ["accumulate", "applies", "pays", "product", "scratch"]


def applies(problem: Problem) -> bool:
    return True


def pays(problem: Problem) -> bool:
    return True


def scratch(problem: Problem, dtype: np.dtype) -> dict[str, np.ndarray]:
    """A packed; a panel of B and a micro-tile for each thread."""
    threads, columns = _jit.thread_rows(), panel_columns(dtype)
    return {
        "work_a": _memory.empty(-(-problem.m // MR) * MR * problem.depth, dtype),
        "work_b": _memory.empty((threads, min(problem.depth, KC) * columns), dtype),
        "work_spare": _memory.empty((threads, MR * columns), dtype),
    }
