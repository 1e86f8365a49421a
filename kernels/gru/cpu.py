"""Gated recurrent units in Numba: 6 T N H (I + H) flops forward and twice that backward."""

from kernels.gru.walk import forward, forward_scratch
from kernels.gru.walk_back import backward, backward_scratch

__all__ = ["backward", "backward_scratch", "forward", "forward_scratch"]
