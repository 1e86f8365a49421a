"""Convolution without columns: tiles read the padded input where the kernel's taps point.

The rows of input that a strip of output needs are copied once into planes with zeros around
them. An output position lies at a flat place in its plane, and a tap at an offset from there
that is the same for all positions, so two small tables replace the columns matrix: strides and
dilations cost nothing, and no position is computed in vain. Register tiles hold 6 positions
times 2 registers of filters; a last copy turns filters back into planes.

The gradient of x under a stride falls apart into phases: the rows and columns of x that leave
the same remainder see the same taps, without a stride. Each phase is a correlation of its own
over the same planes, written every `stride` columns.

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
