"""Pooling on the CPU, in Numba."""

from kernels.pool2d.cpu_adaptive import (
    adaptive_average_backward,
    adaptive_average_backward_scratch,
    adaptive_average_forward,
    adaptive_average_forward_scratch,
)
from kernels.pool2d.cpu_adaptive_max import adaptive_max_backward, adaptive_max_forward
from kernels.pool2d.cpu_average import (
    average_backward,
    average_backward_scratch,
    average_forward,
    average_forward_scratch,
)
from kernels.pool2d.cpu_max import max_backward, max_forward

__all__ = [
    "adaptive_average_backward",
    "adaptive_average_backward_scratch",
    "adaptive_average_forward",
    "adaptive_average_forward_scratch",
    "adaptive_max_backward",
    "adaptive_max_forward",
    "average_backward",
    "average_backward_scratch",
    "average_forward",
    "average_forward_scratch",
    "max_backward",
    "max_forward",
]
