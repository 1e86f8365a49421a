"""Gradients of the LSTM in Numba, backward through time in blocks of steps.

16 T N H (I + P) flops, and 4 T N H P for a projection. Samples lie on threads while a block is
walked through; its gradients of the gates, still in cache, then give those of x and the weights,
on threads by rows and by units.
"""

import numpy as np

from kernels._jit import jit, parallel
from kernels._recurrent import (
    DEPTH,
    NOTHING,
    STATES,
    active_rows,
    close_block,
    close_groups,
    pack_for_gradients,
    share_of,
    squash,
    walk_blocks,
)
from kernels._simd import full, lanes, load, store
from kernels._tile import multiply_rows
from kernels.lstm.units import gate_gradients


@jit
def _clear(array, start, count):
    for j in range(start, start + count, lanes(array)):
        store(array, j, 0.0)


@jit
def _project_back(
    first, last, rows, t, block_row, width, lengths, dy, work_hr, dstates, dh, work_dopened
):
    """What reaches the outputs of a step, before their projection to states."""
    samples = len(lengths)
    for row in range(first, last):
        to = (block_row + row - first) * width
        if t < lengths[row]:
            for j in range(0, width, lanes(dh)):
                total = load(dy, (t * samples + row) * width + j) + load(dh, row * width + j)
                store(dstates, to + j, total)
            _clear(dh, row * width, width)
        else:
            _clear(dstates, to, width)
    padded = work_dopened.shape[1]
    panel = lanes(dh)
    multiply_rows(
        rows, width, dstates, (block_row * width, width, 1), work_hr, (0, width * panel),
        padded // panel, work_dopened.reshape(-1), (first * padded, padded, panel), False,
    )  # fmt: skip


@jit
def _close_gates(
    first, last, t, block_row, projected, peephole, lengths, past, dy, cells, gates, dopened,
    opened, dgates, dh, dc, padded,
):  # fmt: skip
    """Gradients of the gates of samples [first, last) in step t, and dc of the step before."""
    samples = len(lengths)
    for row in range(first, last):
        at = block_row + row - first
        to, own = at * 4 * padded, row * padded
        if t >= lengths[row]:
            _clear(dgates, to, 4 * padded)
            if projected:
                _clear(opened, at * padded, padded)
            continue
        place = (t * samples + row) * padded
        c_past = past * samples * padded + place
        c_now = (1 - past) * samples * padded + place
        for j in range(0, padded, lanes(dh)):
            gate = 4 * place + j
            i, f = load(gates, gate), load(gates, gate + padded)
            g, o = load(gates, gate + 2 * padded), load(gates, gate + 3 * padded)
            bent, c = squash(load(cells, c_now + j)), load(cells, c_past + j)
            if projected:
                dout = load(dopened, own + j)
                store(opened, at * padded + j, o * bent)
            else:
                dout = load(dy, place + j) + load(dh, own + j)
                store(dh, own + j, 0.0)
            di, df, dg, do, dc_past = gate_gradients(
                i, f, g, o, bent, c, dout, load(dc, own + j), peephole, j
            )
            store(dgates, to + j, di)
            store(dgates, to + padded + j, df)
            store(dgates, to + 2 * padded + j, dg)
            store(dgates, to + 3 * padded + j, do)
            store(dc, own + j, dc_past)


@jit
def _walk_back(
    first, last, low, high, dy, peephole, lengths, reverse, cells, gates, work_hh, work_hr,
    work_dgates, work_dstates, work_opened, work_dopened, out_dh0, out_dc0,
):  # fmt: skip
    """Steps [low, high) of samples [first, last), the latest first."""
    _, samples, width = dy.shape
    padded = out_dc0.shape[1]
    flat_dy, flat_cells, flat_gates = dy.reshape(-1), cells.reshape(-1), gates.reshape(-1)
    dgates, dh, dc = work_dgates.reshape(-1), out_dh0.reshape(-1), out_dc0.reshape(-1)
    dstates, opened, dopened = (
        work_dstates.reshape(-1), work_opened.reshape(-1), work_dopened.reshape(-1)
    )  # fmt: skip
    panel, past, projected = lanes(dh), 1 if reverse else 0, work_hr.size > 0
    for step in range(high - low):
        t = low + step if reverse else high - 1 - step
        block_row = (t - low) * samples + first
        rows = active_rows(lengths, t, first, last)
        if projected:
            _project_back(
                first, last, rows, t, block_row, width, lengths, flat_dy, work_hr, dstates, dh,
                work_dopened,
            )  # fmt: skip
        _close_gates(
            first, last, t, block_row, projected, peephole, lengths, past, flat_dy, flat_cells,
            flat_gates, dopened, opened, dgates, dh, dc, padded,
        )  # fmt: skip
        multiply_rows(
            rows, 4 * padded, dgates, (block_row * 4 * padded, 4 * padded, 1), work_hh,
            (0, 4 * padded * panel), width // panel, dh, (first * width, width, panel), True,
        )  # fmt: skip


@parallel
def _walk_slices_back(
    share, slices, low, high, dy, peephole, lengths, reverse, cells, gates, work_hh, work_hr,
    work_dgates, work_dstates, work_opened, work_dopened, out_dh0, out_dc0,
):  # fmt: skip
    first, last = share_of(dy.shape[1], share, slices)
    _walk_back(
        first, last, low, high, dy, peephole, lengths, reverse, cells, gates, work_hh, work_hr,
        work_dgates, work_dstates, work_opened, work_dopened, out_dh0, out_dc0,
    )  # fmt: skip


@jit
def _add_peephole_gradients(first_row, rows, reverse, dgates, cells, spare, out_dpeephole):
    """What a block adds, in float64 after DEPTH rows at most.

    dgates  (.., 4 padded), cells (T + 1, N, padded): row r of the one saw the row of the other
            that lies `first_row` and, where `reverse`, N further on
    spare   (3 values,)
    """
    samples, padded = cells.shape[1:]
    past, now = first_row + (samples if reverse else 0), first_row + (0 if reverse else samples)
    wide, flat, c = lanes(dgates), dgates.reshape(-1), cells.reshape(-1)
    for unit in range(0, padded, wide):
        for row in range(0, rows, DEPTH):
            of_i = of_f = of_o = full(dgates, 0.0)
            for k in range(row, min(row + DEPTH, rows)):
                to = k * 4 * padded + unit
                before = load(c, (past + k) * padded + unit)
                of_i = of_i + load(flat, to) * before
                of_f = of_f + load(flat, to + padded) * before
                of_o = of_o + load(flat, to + 3 * padded) * load(c, (now + k) * padded + unit)
            store(spare, 0, of_i)
            store(spare, wide, of_f)
            store(spare, 2 * wide, of_o)
            for gate in range(3):
                for lane in range(wide):
                    out_dpeephole[gate * padded + unit + lane] += spare[gate * wide + lane]


def backward(
    dy, dh_n, dc_n, x, weight_ih, weight_hh, weight_hr, peephole, lengths, reverse, states, cells,
    gates, work_steps, work_ih, work_hh, work_hr, work_dgates, work_dstates, work_opened,
    work_dopened, work_a, work_b, work_spare, work_dih, work_dhh, work_dhr,
    out_dx, out_dh0, out_dc0, out_dweight_ih, out_dweight_hh, out_dbias, out_dweight_hr,
    out_dpeephole,
):  # fmt: skip
    """As the reference, with units padded; dx or a weight's gradient without elements is left out.

    dy            (T, N, width), P padded; dh_n (N, width), dc_n (N, padded), H padded
    states, cells, gates  as `forward` wrote them, peephole as it was given there
    work_steps    time steps of a block
    work_ih       (4 padded, I up to whole values), work_hh (4 padded, width)
    work_hr       (width, padded), or empty without a projection, as the following three
    work_dstates  (rows of a block, width), work_opened (rows of a block, padded)
    work_dopened  (N, padded)
    work_dgates   (rows of a block, 4 padded)
    work_a, work_b, work_spare  of `products_scratch`, for all threads
    work_dih      (4 padded I,) float64, work_dhh (4 padded width,), work_dhr (width padded,);
                  empty if one group of blocks suffices
    out_dx        (T, N, I), out_dh0 (N, width), out_dc0 (N, padded)
    out_dweight_ih  (4 padded, I), out_dweight_hh (4 padded, width)
    out_dweight_hr  (width, padded)
    out_dbias     (4 padded,) float64, out_dpeephole (3 padded,) float64
    """
    steps, samples, width = dy.shape
    padded = cells.shape[2]
    pack_for_gradients(weight_ih, weight_hh, 4, work_ih, work_hh)
    projected = work_hr.size > 0
    if projected:
        pack_for_gradients(weight_hr, weight_hr[:, :0], 1, work_hr, work_hr[:0])
    out_dh0[...] = dh_n
    out_dc0[...] = dc_n
    out_dbias[...] = 0
    out_dpeephole[...] = 0
    of_gates = np.array([[0, 4 * padded, 1, STATES, 0]])
    of_outputs = np.array([[0, width, 1, NOTHING, 0]])
    scratch = work_a, work_b, work_spare
    for low, high, place in walk_blocks(steps, work_steps, reverse):
        first_row, rows = low * samples, (high - low) * samples
        _walk_slices_back(
            len(work_a), len(work_a), low, high, dy, peephole, lengths, reverse, cells, gates,
            work_hh, work_hr, work_dgates, work_dstates, work_opened, work_dopened, out_dh0,
            out_dc0,
        )  # fmt: skip
        close_block(
            first_row, rows, work_dgates, 4 * padded, 4 * padded, of_gates, x, states,
            samples * width if reverse else 0, work_dgates, place, work_ih, *scratch, work_dih,
            work_dhh, out_dx, out_dweight_ih, out_dweight_hh, out_dbias,
        )  # fmt: skip
        if projected and out_dweight_hr.size:
            close_block(
                0, rows, work_dstates, 0, 0, of_outputs, work_opened[None], states, 0, work_dgates,
                place, work_ih, *scratch, work_dhr, work_dhh, out_dx[:0], out_dweight_hr,
                out_dweight_hh[:0], out_dbias,
            )  # fmt: skip
        if out_dpeephole.size:
            _add_peephole_gradients(
                first_row, rows, reverse, work_dgates, cells, work_spare[0], out_dpeephole
            )
    close_groups((work_dih, out_dweight_ih), (work_dhh, out_dweight_hh), (work_dhr, out_dweight_hr))
