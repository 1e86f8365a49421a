"""Group normalization on the CPU; see reference for the arguments' shapes.

x, y, dy, gamma, beta and their like are float32 or float64, C-contiguous; mean, rstd, head and all
other numbers of rows and planes are float64.
"""

from .cpu_backward import backward, work_shapes
from .cpu_forward import forward
from .cpu_lines import gradient_lines, lines, plane_moments, plane_sums

__all__ = [
    "backward",
    "forward",
    "gradient_lines",
    "lines",
    "plane_moments",
    "plane_sums",
    "work_shapes",
]
