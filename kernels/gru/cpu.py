"""Gated recurrent units in Numba: samples on threads, all time steps inside.

6 T N H (I + H) flops forward and twice that backward. A slice of the samples walks through time by
itself; back in blocks of steps, whose gradients of weights are added up while the gates' lie in the
cache.
"""

from .cpu_backward import backward
from .cpu_forward import forward, is_ahead

__all__ = ["backward", "forward", "is_ahead"]
