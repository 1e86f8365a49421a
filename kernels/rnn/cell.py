"""What a step does to one value's units, forward and backward."""

from kernels._jit import jit
from kernels._recurrent import squash
from kernels._simd import maximum, select


@jit
def activate(total, relu):
    if relu:
        return maximum(total, 0.0)
    return squash(total)


@jit
def slope(d, h, relu):
    """What reaches the sums of d, what reaches the state h."""
    if relu:
        return select(h > 0.0, d, 0.0)
    return d * (1.0 - h * h)
