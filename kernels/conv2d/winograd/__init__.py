"""Convolution 3 x 3 with stride 1 by Winograd's F(4x4, 3x3): 36 products instead of 144.

README.md has the mathematics.
"""

from kernels._tile import MR, NR_REGISTERS, panel_columns
from kernels.conv2d.geometry import Problem
from kernels.conv2d.rounding import up
from kernels.conv2d.winograd.correlate import forward, to_input
from kernels.conv2d.winograd.tiles import TILE
from kernels.conv2d.winograd.weight_gradient import to_weight

__all__ = ["APPLIES_TO", "applies", "forward", "pays", "to_input", "to_weight"]

APPLIES_TO = "a 3 x 3 kernel with stride 1, dilation 1 and one group"

# Fewer channels or filters do not pay for the transforms.
FEWEST = 16


def applies(problem: Problem, to_input: bool = False) -> bool:
    """In registers of whole runs of lanes. The gradient of x has 2 less the padding."""
    window = problem.window
    nine = window.kernel_h == window.kernel_w == 3
    plain = window.stride_h == window.stride_w == window.dilation_h == window.dilation_w == 1
    whole = panel_columns(problem.dtype) // NR_REGISTERS % max(MR, 4) == 0
    turned = not to_input or max(window.pad_h, window.pad_w) <= 2
    return nine and plain and problem.groups == 1 and whole and turned


def pays(problem: Problem, to_input: bool = False) -> bool:
    """Whether there are channels enough, and tiles are mostly filled."""
    height, width = problem.grid
    filled = up(height, TILE) * up(width, TILE) <= 2 * height * width
    return filled and min(problem.channels, problem.filters) >= FEWEST
