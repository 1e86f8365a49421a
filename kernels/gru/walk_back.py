"""The walk back through time in blocks of steps; see `_recurrent`'s README."""

from kernels._jit import parallel
from kernels._recurrent import (
    NOTHING,
    OTHERS,
    STATES,
    Part,
    active_rows,
    blocks_back,
    in_time,
    padded_size,
    share_of,
    walk_back_in,
    walk_back_scratch,
)
from kernels._simd import clear, lanes
from kernels._tile import multiply_rows
from kernels.gru.cell import reset_slopes, slopes


@parallel
def _walk_back(
    share, shares, low, high, dy, before, gates, lengths, reset_after, reverse, packed_hh,
    work_dgates, work_du, inout_dh,
):  # fmt: skip
    """Steps [low, high) of a share of the samples, the latest first."""
    _, samples, hidden = dy.shape
    first, last = share_of(samples, share, shares)
    width, padded, wide = work_dgates.shape[1], inout_dh.shape[1], lanes(inout_dh)
    flat_dy, states, flat_gates = dy.reshape(-1), before.reshape(-1), gates.reshape(-1)
    dgates, du, dh = work_dgates.reshape(-1), work_du.reshape(-1), inout_dh.reshape(-1)
    # Of each panel of weights the rows of r and z, then those of n.
    panels, panel = padded // wide, 3 * hidden * wide
    of_rz, of_n = (0, panel), (2 * hidden * wide, panel)
    of_dh = first * padded, padded, wide
    for step in range(high - low):
        t = low + step if reverse else high - 1 - step
        rows, block = active_rows(lengths, t, first, last), (t - low) * samples
        for row in range(first, last):
            to, own = (block + row) * width, (t * samples + row) * hidden
            if t < lengths[row]:
                slopes(
                    reset_after, flat_gates, 4 * own, flat_dy, states, own, dh, row * padded,
                    dgates, to, hidden,
                )  # fmt: skip
            else:
                clear(dgates, to, width)
        start = (block + first) * width
        if reset_after:
            multiply_rows(
                rows, hidden, dgates, (start + 3 * hidden, width, 1), packed_hh, of_n, panels, dh,
                of_dh, True,
            )  # fmt: skip
        else:
            multiply_rows(
                rows, hidden, dgates, (start + 2 * hidden, width, 1), packed_hh, of_n, panels, du,
                of_dh, False,
            )  # fmt: skip
            for row in range(first, last):
                to, own = (block + row) * width, (t * samples + row) * hidden
                if t < lengths[row]:
                    reset_slopes(
                        flat_gates, 4 * own, states, own, du, dh, row * padded, dgates, to, hidden
                    )
        multiply_rows(
            rows, 2 * hidden, dgates, (start, width, 1), packed_hh, of_rz, panels, dh, of_dh, True
        )


def backward_scratch(dy, x, weights, reset_after, out_dweights):
    (_, samples, hidden), dtype = dy.shape, x.dtype
    columns = (4 if reset_after else 3) * hidden
    du = (0, 0) if reset_after else (samples, padded_size(hidden, dtype))
    scratch = walk_back_scratch(x, weights, columns, 2 * hidden, out_dweights)
    return scratch | {"work_du": (du, dtype)}


def _parts(hidden, reset_after):
    """Which columns of the gates' gradients belong to which weights.

    They are those of r, z, n and, where reset after, of u = W_hn h; else W_hn saw u = r h.
    """
    both = Part(0, 2 * hidden, 1, STATES, 0)
    if reset_after:
        of_n = Part(2 * hidden, 3 * hidden, 1, NOTHING, 0)
        return [both, of_n, Part(3 * hidden, 4 * hidden, 0, STATES, 2 * hidden)]
    return [both, Part(2 * hidden, 3 * hidden, 1, OTHERS, 2 * hidden)]


def backward(
    dy, dh_n, x, states, gates, weights, lengths, reset_after, reverse, work, work_du, out_dx,
    out_dh0, out_dweights,
):  # fmt: skip
    """As the reference; dx or a weight's gradient without elements is left out.

    work     of `backward_scratch`
    work_du  (N, padded), or empty where reset after
    """
    work, hidden, (before, _) = walk_back_in(work, out_dh0), dy.shape[2], in_time(states, reverse)
    shares, parts = len(work.products[0]), _parts(hidden, reset_after)
    of_u = gates.reshape(-1)[3 * hidden :], 4 * hidden
    outs = out_dx, out_dh0, out_dweights
    for low, high, _ in blocks_back(
        dh_n, x, before, of_u, weights, 3 * hidden, parts, reverse, work, outs
    ):
        _walk_back(
            shares, shares, low, high, dy, before, gates, lengths, reset_after, reverse,
            work.packed_hh, work.dgates, work_du, work.dh,
        )  # fmt: skip
