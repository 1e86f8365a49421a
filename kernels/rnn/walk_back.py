"""The walk back through time in blocks of steps; see `_recurrent`'s README."""

from kernels._jit import parallel
from kernels._recurrent import (
    STATES,
    Part,
    active_rows,
    blocks_back,
    in_time,
    share_of,
    walk_back_in,
    walk_back_scratch,
)
from kernels._simd import clear, lanes, load, load_some, store, store_some
from kernels._tile import multiply_rows
from kernels.rnn.cell import slope


@parallel
def _walk_back(
    share, shares, low, high, dy, after, lengths, relu, reverse, packed_hh, work_dgates, inout_dh
):
    """Steps [low, high) of a share of the samples, the latest first."""
    _, samples, hidden = dy.shape
    first, last = share_of(samples, share, shares)
    flat_dy, states = dy.reshape(-1), after.reshape(-1)
    dgates, dh, padded = work_dgates.reshape(-1), inout_dh.reshape(-1), inout_dh.shape[1]
    for step in range(high - low):
        t = low + step if reverse else high - 1 - step
        block = (t - low) * samples
        for row in range(first, last):
            at, to, own = (t * samples + row) * hidden, (block + row) * hidden, row * padded
            if t >= lengths[row]:
                clear(dgates, to, hidden)
                continue
            for j in range(0, hidden, lanes(dh)):
                rest = hidden - j
                h = load_some(states, at + j, rest, 0.0)
                d = load_some(flat_dy, at + j, rest, 0.0) + load(dh, own + j)
                store_some(dgates, to + j, rest, slope(d, h, relu))
                store(dh, own + j, 0.0)
        rows = active_rows(lengths, t, first, last)
        multiply_rows(
            rows, hidden, dgates, ((block + first) * hidden, hidden, 1), packed_hh,
            (0, hidden * lanes(dh)), padded // lanes(dh), dh, (first * padded, padded, lanes(dh)),
            True,
        )  # fmt: skip


def backward_scratch(dy, x, weights, out_dweights):
    hidden = dy.shape[2]
    return walk_back_scratch(x, weights, hidden, hidden, out_dweights)


def backward(
    dy, dh_n, x, states, weights, lengths, relu, reverse, work, out_dx, out_dh0, out_dweights
):
    """As the reference; dx or a weight's gradient without elements is left out.

    work  of `backward_scratch`
    """
    work = walk_back_in(work, out_dh0)
    hidden, shares = dy.shape[2], len(work.products[0])
    before, after = in_time(states, reverse)
    parts, no_others = [Part(0, hidden, 1, STATES, 0)], (x.reshape(-1), 0)
    outs = out_dx, out_dh0, out_dweights
    for low, high, _ in blocks_back(
        dh_n, x, before, no_others, weights, hidden, parts, reverse, work, outs
    ):
        _walk_back(
            shares, shares, low, high, dy, after, lengths, relu, reverse, work.packed_hh,
            work.dgates, work.dh,
        )  # fmt: skip
