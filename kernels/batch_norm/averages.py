"""Running averages of what batches had."""

from kernels._jit import jit


@jit
def move(value, scale, momentum, work, inout_average):
    """average = (1 - momentum) average + momentum scale value, each product rounded.

    value, work    (C,) float64
    inout_average  (C,) float32 | float64; its own product is of its dtype, the sum float64
    """
    # In loops apart no product is fused into the sum, which would make it another one.
    kept = inout_average.dtype.type(1 - momentum)
    for c in range(value.size):
        work[c] = momentum * (value[c] * scale)
    for c in range(value.size):
        inout_average[c] *= kept
    for c in range(value.size):
        inout_average[c] += work[c]
