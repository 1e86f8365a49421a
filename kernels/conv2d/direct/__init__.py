"""Convolution without columns: tiles read the padded input where the kernel's taps point.

Two small tables replace the columns matrix: strides and dilations cost nothing, and no position
is computed in vain. Register tiles hold 6 positions times 2 registers of filters; a last copy
turns filters back into planes. See ../README.md.

2 N K OH OW (C / groups) kh kw flops; the copies are 1 / K of that, not 1 / K of kh kw.
"""

from kernels.conv2d.direct.correlate import forward, to_input
from kernels.conv2d.direct.weight_gradient import to_weight
from kernels.conv2d.geometry import Problem

__all__ = ["applies", "forward", "pays", "to_input", "to_weight"]

# Fewer columns leave most lanes of a tile empty.
FEWEST = 5


def applies(problem: Problem, to_input: bool = False) -> bool:
    return True


def pays(problem: Problem, to_input: bool = False) -> bool:
    """Whether tiles are filled, unless columns are the input itself: one tap without a stride."""
    window, groups = problem.window, problem.groups
    if to_input and problem.channels // groups < FEWEST:
        return False
    unit = window.kernel_h == window.kernel_w == window.stride_h == window.stride_w == 1
    return problem.filters // groups >= FEWEST and not unit
