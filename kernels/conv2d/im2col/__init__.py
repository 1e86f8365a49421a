"""Convolution by im2col, in pieces that stay in cache: it computes every convolution.

The columns matrix (a row for each channel and kernel position, a column for each output
position) is never built whole: see ../README.md.

2 N K OH OW (C / groups) kh kw flops each way. A filled element serves K / groups
multiply-adds forward, so filling costs about a fifth of the product at 32 filters.
"""

from kernels.conv2d.geometry import Problem
from kernels.conv2d.im2col.correlate import forward
from kernels.conv2d.im2col.input_gradient import to_input
from kernels.conv2d.im2col.weight_gradient import to_weight

__all__ = ["applies", "forward", "pays", "to_input", "to_weight"]


def applies(problem: Problem, to_input: bool = False) -> bool:
    return True


def pays(problem: Problem, to_input: bool = False) -> bool:
    return True
