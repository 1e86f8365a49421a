"""The plain recurrent network in Numba: 2 T N H (I + H) flops forward and twice that backward."""

from kernels.rnn.walk import forward, forward_scratch
from kernels.rnn.walk_back import backward, backward_scratch

__all__ = ["backward", "backward_scratch", "forward", "forward_scratch"]
