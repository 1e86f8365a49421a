"""The LSTM in Numba: 8 T N H (I + P) flops forward and twice that backward.

2 T N H P more for a projection, and twice that backward.
"""

from kernels.lstm.walk import forward, forward_scratch
from kernels.lstm.walk_back import backward, backward_scratch

__all__ = ["backward", "backward_scratch", "forward", "forward_scratch"]
