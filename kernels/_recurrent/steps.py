"""Parts of a walk over time."""

from kernels._jit import jit
from kernels._simd import lanes
from kernels._tile import copy, multiply_rows

# Rows of the gradient of x that are made at once where its last panel reaches over the edge.
EDGE_ROWS = 24

# Rows of gradients of gates that stay in L2 while the panels pass over them.
CLOSE_ROWS = 192


@jit
def share_of(total, share, shares):
    """The first of `total` things that belong to a share, and the first behind them."""
    return total * share // shares, total * (share + 1) // shares


@jit
def active_rows(lengths, t, first, last):
    """How many samples from `first` on must be looked at in step t: the last one may run."""
    while last > first and lengths[last - 1] <= t:
        last -= 1
    return last - first


@jit
def copy_row(array, source, target, count):
    """array[target:][:count] = array[source:][:count], in flat positions."""
    for i in range(count):
        array[target + i] = array[source + i]


@jit
def inputs_ahead(x, first, last, packed, gates, out, out_start, width, padded):
    """What the inputs add to the gates, for rows [first, last) of all T N rows.

    x       (T N inputs,)
    packed  by `pack_columns`
    out     flat; row r starts at `out_start` + r `width`, a gate has `padded` numbers
    """
    panels = padded // lanes(out)
    inputs = packed.size // (gates * padded)
    multiply_rows(
        last - first, inputs, x, (first * inputs, inputs, 1), packed, (0, inputs * lanes(out)),
        gates * panels, out, (out_start + first * width, width, lanes(out)), False,
    )  # fmt: skip


@jit
def input_gradients(first, last, dgates, start, width, depth, packed, inputs, spare, out_dx, to):
    """dx = dgates weight for rows [first, last) of a block.

    dgates  flat; row r starts at `start` + r `width`, `depth` numbers of it count
    packed  by `pack_rows`
    spare   (EDGE_ROWS lanes,)
    out_dx  flat; row r starts at `to` + r `inputs`
    """
    whole = inputs // lanes(out_dx)
    panel = depth * lanes(out_dx)
    for row in range(first, last, CLOSE_ROWS):
        multiply_rows(
            min(CLOSE_ROWS, last - row), depth, dgates, (start + row * width, width, 1), packed,
            (0, panel), whole, out_dx, (to + row * inputs, inputs, lanes(out_dx)), False,
        )  # fmt: skip
    done = whole * lanes(out_dx)
    if done == inputs:
        return
    for row in range(first, last, EDGE_ROWS):
        rows = min(EDGE_ROWS, last - row)
        multiply_rows(
            rows, depth, dgates, (start + row * width, width, 1), packed, (whole * panel, panel),
            1, spare, (0, lanes(out_dx), 0), False,
        )  # fmt: skip
        for i in range(rows):
            at = to + (row + i) * inputs + done
            copy(spare, i * lanes(out_dx), out_dx, at, inputs - done)


@jit
def write_output(states, start, lengths, first, last, out_y):
    """The states of samples [first, last) as output: zeros behind each sample's end.

    states  flat, (T, N, H) from `start` on
    out_y   (T, N, H)
    """
    steps, samples, hidden = out_y.shape
    flat = out_y.reshape(-1)
    for t in range(steps):
        for row in range(first, last):
            at = (t * samples + row) * hidden
            if t < lengths[row]:
                copy(states, start + at, flat, at, hidden)
            else:
                for i in range(hidden):
                    flat[at + i] = 0.0
