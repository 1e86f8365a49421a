"""The LSTM in Numba."""

from .cpu_backward import backward
from .cpu_forward import forward, is_ahead

__all__ = ["backward", "forward", "is_ahead"]
