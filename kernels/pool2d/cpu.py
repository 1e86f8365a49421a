"""Pooling on the CPU, in Numba."""

from .cpu_adaptive import adaptive_average_backward, adaptive_average_forward
from .cpu_adaptive_max import adaptive_max_backward, adaptive_max_forward
from .cpu_average import average_backward, average_forward
from .cpu_max import max_backward, max_forward

__all__ = [
    "adaptive_average_backward",
    "adaptive_average_forward",
    "adaptive_max_backward",
    "adaptive_max_forward",
    "average_backward",
    "average_forward",
    "max_backward",
    "max_forward",
]
