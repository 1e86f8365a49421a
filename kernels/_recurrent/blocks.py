"""What is left to do for a block of time steps whose gates have their gradients."""

from kernels._jit import jit
from kernels._recurrent.panels import panels_of
from kernels._recurrent.steps import input_gradients, share_of
from kernels._recurrent.weights import add_column_sums, add_weight_gradients
from kernels._simd import lanes

# Blocks whose weight gradients are summed in the dtype of the arrays.
GROUP = 32


@jit
def place_in_group(block, blocks, reverse):
    """Whether a block is the first of its group in the walk, the last, and in the first group.

    The walk goes from the last block to the first, or the other way where `reverse`. A group is
    GROUP blocks counted from t = 0, so padding does not move its borders.
    """
    low, high = block % GROUP == 0 or block == 0, (block + 1) % GROUP == 0 or block == blocks - 1
    if reverse:
        return low, high, block < GROUP
    return high, low, block // GROUP == (blocks - 1) // GROUP


@jit
def close_block(
    share, shares, first_row, rows, dgates, width, x, inputs, h, h_start, hidden, place, work_ih,
    work_a, work_b, work_spare, work_dih, work_dhh, out_dx, out_dih, out_dhh, out_dbias,
):  # fmt: skip
    """One share of the gradients of x, weights and biases from `rows` rows, from `first_row` on.

    dgates    flat; (rows, width), of which all columns count
    x, h      flat; (.., inputs), and (.., hidden) from `h_start` on: what the gates were made of
    place     of `place_in_group`
    work_ih   weight_ih by `pack_rows`
    work_dih  (width inputs,) float64, work_dhh (width hidden,), or empty: nothing is emptied
    out_dx    flat or empty, out_dih and out_dhh flat or empty, out_dbias (width,) float64
    """
    begins, ends, fresh = place
    if out_dx.size:
        low, high = share_of(rows, share, shares)
        input_gradients(
            low, high, dgates, 0, width, width, work_ih, inputs, work_spare, out_dx,
            first_row * inputs,
        )  # fmt: skip
    low, high = share_of(panels_of(width, dgates), share, shares)
    low, high = low * lanes(dgates), high * lanes(dgates)
    of_x = inputs if out_dih.size else 0
    of_h = hidden if out_dhh.size else 0
    add_weight_gradients(
        rows, dgates, 0, width, low, high, x, first_row * inputs, of_x, h,
        h_start + first_row * hidden, of_h, not begins, work_a, work_b, work_spare, out_dih,
        low * inputs, out_dhh, low * hidden,
    )  # fmt: skip
    add_column_sums(rows, dgates, 0, width, low, high, work_spare, out_dbias)
    if ends:
        empty_group(out_dih, low * of_x, high * of_x, fresh, work_dih)
        empty_group(out_dhh, low * of_h, high * of_h, fresh, work_dhh)


@jit
def empty_group(partial, start, stop, fresh, inout_wide):
    """What a group has summed goes on in float64."""
    if inout_wide.size:
        for i in range(start, stop):
            value = inout_wide.dtype.type(partial[i])
            inout_wide[i] = value if fresh else inout_wide[i] + value


@jit
def settle(share, shares, wide, out):
    """One share of the sums in float64 becomes the result; both flat, `wide` may be empty."""
    if wide.size and out.size:
        low, high = share_of(out.size, share, shares)
        for i in range(low, high):
            out[i] = wide[i]
