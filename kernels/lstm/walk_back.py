"""The walk back through time in blocks of steps; see `_recurrent`'s README."""

from typing import NamedTuple

import numpy as np

from kernels._jit import jit, parallel
from kernels._recurrent import (
    NOTHING,
    STATES,
    Part,
    active_rows,
    blocks_back,
    close_block,
    close_sums,
    in_time,
    pack_for_gradients,
    padded_size,
    share_of,
    squash,
    walk_back_in,
    walk_back_scratch,
    wide_sums,
)
from kernels._simd import clear, fma, full, lanes, load, load_masked, store, store_masked
from kernels._tile import KC, multiply_rows
from kernels.lstm.cell import gate_gradients


class Extras(NamedTuple):
    """Scratch of a projection h = W_hr m, m = o tanh(c), and of peepholes; empty without them."""

    packed_hr: np.ndarray  # by `pack_for_gradients`
    dstates: np.ndarray  # (rows of a block, P)
    m: np.ndarray  # (rows of a block, H)
    dm: np.ndarray  # (N, H padded), of a step
    wide_hr: np.ndarray  # float64
    dpeephole: np.ndarray  # float64


@jit
def _project_back(span, t, block, lengths, dy, packed_hr, dstates, inout_dh, out_dm):
    """From what reaches the states of a step to what reaches m.

    block    the row of dstates in which the step begins
    dstates  (rows of a block, P), of which those of the step are written
    """
    (first, last), (_, samples, width) = span, dy.shape
    padded, wide, columns = inout_dh.shape[1], lanes(inout_dh), out_dm.shape[1]
    flat_dy, flat, dh = dy.reshape(-1), dstates.reshape(-1), inout_dh.reshape(-1)
    for row in range(first, last):
        to, at = (block + row) * width, (t * samples + row) * width
        if t < lengths[row]:
            for j in range(0, width, wide):
                total = load_masked(flat_dy, at + j, width - j, 0.0) + load(dh, row * padded + j)
                store_masked(flat, to + j, width - j, total)
            clear(dh, row * padded, padded)
        else:
            clear(flat, to, width)
    multiply_rows(
        active_rows(lengths, t, first, last), width, flat, ((block + first) * width, width, 1),
        packed_hr, (0, width * wide), columns // wide, out_dm.reshape(-1),
        (first * columns, columns, wide), False,
    )  # fmt: skip


@jit
def _close_row(gates, cells, own, peephole, incoming, m, of_m, dgates, to, dc, of_dc):
    """A row's gradients of the gates, and dc of the step before.

    cells     (those that the steps found, those that they left); `own` is where they lie
    incoming  (dy, dh or dm, where it lies); dh becomes 0
    m         where o tanh(c) is written from `of_m` on, or empty without a projection
    """
    (old, new), (dy, dh, of_dh), hidden = cells, incoming, dgates.shape[1] // 4
    flat = dgates.reshape(-1)
    for unit in range(0, hidden, lanes(dh)):
        rest = hidden - unit
        i = load_masked(gates, 4 * own + unit, rest, 0.0)
        f = load_masked(gates, 4 * own + hidden + unit, rest, 0.0)
        g = load_masked(gates, 4 * own + 2 * hidden + unit, rest, 0.0)
        o = load_masked(gates, 4 * own + 3 * hidden + unit, rest, 0.0)
        tanh_c = squash(load_masked(new, own + unit, rest, 0.0))
        c = load_masked(old, own + unit, rest, 0.0)
        dm = load(dh, of_dh + unit)
        if m.size:
            store_masked(m, of_m + unit, rest, o * tanh_c)
        else:
            dm = load_masked(dy, own + unit, rest, 0.0) + dm
            store(dh, of_dh + unit, 0.0)
        di, df, dg, do, dc_past = gate_gradients(
            (i, f, g, o), tanh_c, c, dm, load_masked(dc, of_dc + unit, rest, 0.0), peephole, unit,
            rest,
        )  # fmt: skip
        store_masked(flat, to + unit, rest, di)
        store_masked(flat, to + hidden + unit, rest, df)
        store_masked(flat, to + 2 * hidden + unit, rest, dg)
        store_masked(flat, to + 3 * hidden + unit, rest, do)
        store_masked(dc, of_dc + unit, rest, dc_past)


@parallel
def _walk_back(
    share, shares, low, high, dy, cells, gates, peephole, lengths, reverse, packed, work_dgates,
    work_projection, inout_dh, inout_dc,
):  # fmt: skip
    """Steps [low, high) of a share of the samples, the latest first."""
    (packed_hh, packed_hr), (work_dstates, work_m, work_dm) = packed, work_projection
    samples, hidden = inout_dc.shape
    first, last = share_of(samples, share, shares)
    flat_dy, flat_gates, flat_cells = (
        dy.reshape(-1), gates.reshape(-1), (cells[0].reshape(-1), cells[1].reshape(-1))
    )  # fmt: skip
    dgates, dh, dc = work_dgates.reshape(-1), inout_dh.reshape(-1), inout_dc.reshape(-1)
    m, dm, padded, wide = work_m.reshape(-1), work_dm.reshape(-1), inout_dh.shape[1], lanes(dh)
    for step in range(high - low):
        t = low + step if reverse else high - 1 - step
        block = (t - low) * samples
        if m.size:
            _project_back(
                (first, last), t, block, lengths, dy, packed_hr, work_dstates, inout_dh, work_dm
            )
        for row in range(first, last):
            to = (block + row) * hidden
            if t >= lengths[row]:
                clear(dgates, 4 * to, 4 * hidden)
                if m.size:
                    clear(m, to, hidden)
                continue
            incoming = flat_dy, dh, row * padded
            if m.size:
                incoming = flat_dy, dm, row * work_dm.shape[1]
            _close_row(
                flat_gates, flat_cells, (t * samples + row) * hidden, peephole, incoming, m, to,
                work_dgates, 4 * to, dc, row * hidden,
            )  # fmt: skip
        multiply_rows(
            active_rows(lengths, t, first, last), 4 * hidden, dgates,
            ((block + first) * 4 * hidden, 4 * hidden, 1), packed_hh, (0, 4 * hidden * wide),
            padded // wide, dh, (first * padded, padded, wide), True,
        )  # fmt: skip


@jit
def _add_peephole_gradients(block, dgates, cells, spare, inout_dpeephole):
    """What a block adds, in float64 after KC rows at most.

    block    (its first row, how many)
    dgates   (rows, 4H)
    cells    (T, N, H), what the steps found and what they left
    spare    (3 values,)
    """
    (first, rows), hidden = block, dgates.shape[1] // 4
    flat, old, new = dgates.reshape(-1), cells[0].reshape(-1), cells[1].reshape(-1)
    wide = lanes(dgates)
    for unit in range(0, hidden, wide):
        rest = hidden - unit
        for row in range(0, rows, KC):
            of_i = of_f = of_o = full(dgates, 0.0)
            for k in range(row, min(row + KC, rows)):
                to, own = 4 * k * hidden + unit, (first + k) * hidden + unit
                c, c_now = load_masked(old, own, rest, 0.0), load_masked(new, own, rest, 0.0)
                of_i = fma(load_masked(flat, to, rest, 0.0), c, of_i)
                of_f = fma(load_masked(flat, to + hidden, rest, 0.0), c, of_f)
                of_o = fma(load_masked(flat, to + 3 * hidden, rest, 0.0), c_now, of_o)
            store(spare, 0, of_i)
            store(spare, wide, of_f)
            store(spare, 2 * wide, of_o)
            for gate in range(3):
                for lane in range(min(wide, rest)):
                    inout_dpeephole[gate * hidden + unit + lane] += spare[gate * wide + lane]


def backward_scratch(x, weights, out_dweights):
    (width, hidden), dtype = weights.hr.shape, x.dtype
    scratch = walk_back_scratch(x, weights, 4 * hidden, max(4 * hidden, width), out_dweights)
    (rows, _), _ = scratch["work"]["dgates"]
    samples, rows = (x.shape[1], rows) if width else (0, 0)
    padded = padded_size(hidden, dtype)
    extras = {
        "packed_hr": (width * padded, dtype),
        "dstates": ((rows, width), dtype),
        "m": ((rows, hidden), dtype),
        "dm": ((samples, padded), dtype),
        "wide_hr": wide_sums(x, out_dweights.hr),
        "dpeephole": (out_dweights.peephole.size, np.float64),
    }
    return scratch | {"work_extras": extras}


def backward(
    dy, dh_n, dc_n, x, weights, lengths, reverse, states, cells, gates, work, work_extras,
    out_dx, out_dh0, out_dc0, out_dweights,
):  # fmt: skip
    """As the reference; dx or a weight's gradient without elements is left out.

    work_*  of `backward_scratch`
    """
    (before, _), cells, hidden = in_time(states, reverse), in_time(cells, reverse), cells.shape[2]
    shared = walk_back_in(work, out_dh0)
    packed_hr, dstates, m, dm, wide_hr, dpeephole = Extras(**work_extras)
    dpeephole.fill(0)
    shares, no_others = len(shared.products[0]), (x.reshape(-1), 0)
    if m.size:
        pack_for_gradients(weights.hr, weights.hr[:, :0], packed_hr, packed_hr[:0])
    out_dc0[...] = dc_n
    parts = [Part(0, 4 * hidden, 1, STATES, 0)]
    of_outputs, flat_m = np.array([Part(0, len(weights.hr), 1, NOTHING, 0)]), m.reshape(-1)
    of_projection = out_dx[:0], out_dweights.hr, out_dweights.hh[:0], shared.dbias[:0]
    outs = out_dx, out_dh0, out_dweights
    for low, high, block in blocks_back(
        dh_n, x, before, no_others, weights, 4 * hidden, parts, reverse, shared, outs
    ):
        _walk_back(
            shares, shares, low, high, dy, cells, gates, weights.peephole, lengths, reverse,
            (shared.packed_hh, packed_hr), shared.dgates, (dstates, m, dm), shared.dh, out_dc0,
        )  # fmt: skip
        if out_dweights.hr.size:
            close_block(
                (0, *block[1:]), dstates, (0, 0), of_outputs, (flat_m, flat_m, flat_m),
                (hidden, 0, 0), shared.packed_ih, shared.products, (wide_hr, wide_hr),
                of_projection,
            )  # fmt: skip
        if dpeephole.size:
            _add_peephole_gradients(
                block[:2], shared.dgates, cells, shared.products[2][0], dpeephole
            )
    close_sums((wide_hr, out_dweights.hr), (dpeephole, out_dweights.peephole))
