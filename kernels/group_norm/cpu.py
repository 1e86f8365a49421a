"""Group normalization on the CPU; see reference for the arguments' shapes.

x, y, dy, gamma, beta and their like are float32 or float64, C-contiguous; mean, rstd, head and all
other numbers of rows and planes are float64.
"""

from kernels.group_norm.cpu_backward import backward, backward_scratch
from kernels.group_norm.cpu_forward import forward
from kernels.group_norm.cpu_lines import gradient_lines, lines, plane_moments, plane_sums

__all__ = [
    "backward",
    "backward_scratch",
    "forward",
    "gradient_lines",
    "lines",
    "plane_moments",
    "plane_sums",
]
