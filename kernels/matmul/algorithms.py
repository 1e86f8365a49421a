"""Which algorithm multiplies: the first of a list that applies and pays. Arrays are checked."""

from types import ModuleType

import numpy as np

from kernels import _memory
from kernels.matmul import direct, packed, tall
from kernels.matmul.direct.gradients import gradients_together
from kernels.matmul.packed.cpu import TASKS
from kernels.matmul.problem import SERIAL, Problem

__all__ = [
    "ALGORITHMS",
    "accumulate",
    "gradients_fit_together",
    "gradients_together",
    "multiply",
    "multiply_stacks",
]

ALGORITHMS: tuple[ModuleType, ...] = (tall, direct, packed)


def multiply(
    a: np.ndarray,
    b: np.ndarray,
    bias: np.ndarray,
    transpose_a: bool,
    transpose_b: bool,
    relu: bool,
    y: np.ndarray,
) -> None:
    """y = op(a) op(b) + bias for matrices, none of them empty."""
    m, n = y.shape
    depth = a.size // m
    if m * n * depth <= SERIAL and depth <= direct.MOST_DEPTH:
        work = np.empty(direct.work_size(depth, a.itemsize), a.dtype)
        # By position: keywords would take half as long as the smallest products do.
        direct.product_alone(a, b, bias, transpose_a, transpose_b, relu, work, y)
        return
    problem = Problem(m, n, depth, a.itemsize, transpose_a)
    algorithm = next(each for each in ALGORITHMS if each.applies(problem) and each.pays(problem))
    algorithm.product(
        a=a,
        b=b,
        bias=bias,
        transpose_a=transpose_a,
        transpose_b=transpose_b,
        relu=relu,
        **_memory.scratch(algorithm.product_scratch(a, b, transpose_a)),
        out_y=y,
    )


def multiply_stacks(
    a: np.ndarray,
    b: np.ndarray,
    bias: np.ndarray,
    a_items: np.ndarray,
    b_items: np.ndarray,
    transpose_a: bool,
    transpose_b: bool,
    relu: bool,
    y: np.ndarray,
) -> None:
    """y[i] = op(a[a_items[i]]) op(b[b_items[i]]) + bias for stacks, none of them empty."""
    items, m, n = y.shape
    depth = a.shape[1] * a.shape[2] // m
    problem = Problem(m, n, depth, a.itemsize, transpose_a)
    few = items < TASKS and m * n * depth > SERIAL
    if few or not (direct.applies(problem) and direct.pays(problem)):
        for i, j, item in zip(a_items, b_items, y, strict=True):
            multiply(a[i], b[j], bias, transpose_a, transpose_b, relu, item)
        return
    direct.product_stacks(
        a=a,
        b=b,
        bias=bias,
        a_items=a_items,
        b_items=b_items,
        transpose_a=transpose_a,
        transpose_b=transpose_b,
        relu=relu,
        **_memory.scratch(direct.product_stacks_scratch(a, b, transpose_a)),
        out_y=y,
    )


def accumulate(
    a: np.ndarray, b: np.ndarray, transpose_a: bool, transpose_b: bool, y: np.ndarray
) -> None:
    """y += op(a) op(b) for matrices, none of them empty."""
    packed.accumulate(
        a=a,
        b=b,
        transpose_a=transpose_a,
        transpose_b=transpose_b,
        **_memory.scratch(packed.accumulate_scratch(a, b, transpose_a)),
        inout_y=y,
    )


def gradients_fit_together(m: int, depth: int, n: int) -> bool:
    """Whether all gradients of a product are so small that they are computed in one call."""
    return 0 < m * n * depth <= SERIAL and max(m, n, depth) <= direct.MOST_DEPTH
