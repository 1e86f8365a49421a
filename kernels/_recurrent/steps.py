"""Parts of a walk over time."""

from kernels._jit import jit
from kernels._simd import lanes
from kernels._tile import copy, multiply_rows

# Rows of the gradient of x made at once: those of the gates stay in L2 while panels pass over them.
GRADIENT_ROWS = 192


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
    spare   (GRADIENT_ROWS lanes,)
    out_dx  flat; row r starts at `to` + r `inputs`
    """
    wide = lanes(out_dx)
    whole, panel = inputs // wide, depth * wide
    edge = inputs - whole * wide
    for row in range(first, last, GRADIENT_ROWS):
        rows = min(GRADIENT_ROWS, last - row)
        from_row = start + row * width, width, 1
        at = to + row * inputs
        # One call for both, since each call is compiled anew with all it calls.
        for beside in range(1 + (edge > 0)):
            panels, packed_at, out, place = whole, 0, out_dx, (at, inputs, wide)
            if beside:
                panels, packed_at, out, place = 1, whole * panel, spare, (0, wide, 0)
            multiply_rows(
                rows, depth, dgates, from_row, packed, (packed_at, panel), panels, out, place, False
            )
        if edge:
            for i in range(rows):
                copy(spare, i * wide, out_dx, at + i * inputs + whole * wide, edge)


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
