"""Convolution of few channels a group, above all of one: vectors along the rows of planes.

No product of matrices is in it: a filter meets one channel or a handful. A channel's plane is
copied once with zeros around it; each output vector then sums the taps of a kernel over
vectors of that plane. Where columns have a stride, planes hold every stride-th column apart, so
that neighbours in the output are neighbours in a plane.

2 N K OH OW (C / groups) kh kw flops and as many loads as multiply-adds: bound by loads from L1.
"""

from kernels.conv2d.depthwise.correlate import forward, to_input
from kernels.conv2d.depthwise.weight_gradient import to_weight
from kernels.conv2d.geometry import Problem

__all__ = ["applies", "forward", "pays", "to_input", "to_weight"]

# So many channels or filters a group fill the tiles of a matrix product.
ENOUGH = 5


def applies(problem: Problem, to_input: bool = False) -> bool:
    return True


def pays(problem: Problem, to_input: bool = False) -> bool:
    fewer = max(problem.filters, problem.channels) < ENOUGH * problem.groups
    return problem.groups > 1 and fewer
