"""What is left to do for a block of time steps whose gates have their gradients."""

import numpy as np

from kernels._jit import jit
from kernels._recurrent.panels import panels_of
from kernels._recurrent.steps import share_of
from kernels._recurrent.weights import add_weight_gradients
from kernels._simd import lanes

# Blocks whose weight gradients are summed in the dtype of the arrays.
GROUP = 32


# What a part's gates saw besides the inputs.
NOTHING, STATES, OTHERS = 0, 1, 2


@jit
def add_part(
    share, shares, first_row, rows, dgates, width, part, x, states, states_start, others, place,
    work_a, work_b, work_spare, work_dih, work_dhh, out_dih, out_dhh,
):  # fmt: skip
    """A share of the gradients of weights from some columns of the gates' gradients.

    part   (first column, last column + 1, whether they saw the inputs, what else they saw, the
           row of out_dhh that belongs to the first column)
    place  whether the block is the first of its group in the walk, the last, and in the first group
    """
    begins, ends, fresh = place
    padded, inputs = states.shape[-1], x.shape[2]
    low, high = share_of(panels_of(part[1] - part[0], dgates), share, shares)
    low, high = part[0] + low * lanes(dgates), part[0] + high * lanes(dgates)
    if low == high:
        return
    row = part[4] + low - part[0]
    of_x = inputs if part[2] and out_dih.size else 0
    of_h = padded if part[3] != NOTHING and out_dhh.size else 0
    seen, start = states.reshape(-1), states_start + first_row * padded
    if part[3] == OTHERS:
        seen, start = others.reshape(-1), np.int64(0)
    dih, dhh = out_dih.reshape(-1), out_dhh.reshape(-1)
    add_weight_gradients(
        rows, dgates, 0, width, low, high, x.reshape(-1), first_row * inputs, of_x, seen, start,
        of_h, not begins, work_a, work_b, work_spare, dih, low * inputs, dhh, row * padded,
    )  # fmt: skip
    if ends:
        empty_group(dih, low * of_x, high * of_x, fresh, work_dih)
        empty_group(dhh, row * of_h, (row + high - low) * of_h, fresh, work_dhh)


@jit
def empty_group(partial, start, stop, fresh, inout_wide):
    """What a group has summed goes on in float64."""
    if inout_wide.size:
        for i in range(start, stop):
            value = inout_wide.dtype.type(partial[i])
            inout_wide[i] = value if fresh else inout_wide[i] + value
