"""Gradients of the LSTM in Numba, backward through time in blocks of steps.

16 T N H (I + P) flops, and 4 T N H P for a projection. Samples lie on threads while a block is
walked through; its gradients of the gates, still in cache, then give those of x and the weights,
on threads by rows and by units.
"""

import numpy as np

from kernels import _jit
from kernels._jit import prange
from kernels._recurrent import (
    DEPTH,
    active_rows,
    close_block,
    pack_rows,
    panels_of,
    place_in_group,
    settle,
    share_of,
)
from kernels._simd import full, lanes, load, store
from kernels._tile import multiply_rows
from kernels.lstm.squashing import squash
from kernels.lstm.units import gate_gradients


@_jit.jit
def _pack(index, width, weight_ih, weight_hh, weight_hr, work_ih, work_hh, work_hr):
    of_x, of_h = panels_of(weight_ih.shape[1], work_ih), panels_of(width, work_hh)
    if index < of_x + of_h:
        first = index < of_x
        weight, work = (weight_ih, work_ih) if first else (weight_hh, work_hh)
        pack_rows(weight, np.int64(4), index if first else index - of_x, work)
    else:
        pack_rows(weight_hr, np.int64(1), index - of_x - of_h, work_hr)


@_jit.jit
def _clear(array, start, count):
    for j in range(start, start + count, lanes(array)):
        store(array, j, 0.0)


@_jit.jit
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


@_jit.jit
def _close_gates(
    row, t, block_row, projected, peephole, samples, past, dy, cells, gates, dopened, opened,
    dgates, dh, dc, padded,
):  # fmt: skip
    """Of one sample that runs: the gradients of its gates, and dc of the step before."""
    place = (t * samples + row) * padded
    c_past = past * samples * padded + place
    c_now = (1 - past) * samples * padded + place
    gates_at, to, own = 4 * place, block_row * 4 * padded, row * padded
    for j in range(0, padded, lanes(dh)):
        i, f = load(gates, gates_at + j), load(gates, gates_at + padded + j)
        g, o = load(gates, gates_at + 2 * padded + j), load(gates, gates_at + 3 * padded + j)
        bent, c = squash(load(cells, c_now + j)), load(cells, c_past + j)
        if projected:
            dout = load(dopened, own + j)
            store(opened, block_row * padded + j, o * bent)
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


@_jit.jit
def _block(walked, work_steps, steps, reverse):
    """The first step of a block, the first behind it, and its place in a group of blocks."""
    blocks = (steps + work_steps - 1) // work_steps
    block = walked if reverse else blocks - 1 - walked
    low, high = block * work_steps, min(steps, (block + 1) * work_steps)
    return low, high, place_in_group(block, blocks, reverse)


@_jit.jit
def _walk_back(
    share, shares, walked, work_steps, dy, dh_n, dc_n, peephole, lengths, reverse, cells, gates,
    work_hh, work_hr, work_dgates, work_dstates, work_opened, work_dopened, out_dh0, out_dc0,
):  # fmt: skip
    """The steps of a block for a share of the samples, the latest first."""
    steps, samples, width = dy.shape
    first, last = share_of(samples, share, shares)
    low, high, _ = _block(walked, work_steps, steps, reverse)
    padded = out_dc0.shape[1]
    flat_dy, flat_cells, flat_gates = dy.reshape(-1), cells.reshape(-1), gates.reshape(-1)
    dgates, dh, dc = work_dgates.reshape(-1), out_dh0.reshape(-1), out_dc0.reshape(-1)
    dstates, opened, dopened = (
        work_dstates.reshape(-1), work_opened.reshape(-1), work_dopened.reshape(-1)
    )  # fmt: skip
    if walked == 0:
        for row in range(first, last):
            for j in range(width):
                out_dh0[row, j] = dh_n[row, j]
            for j in range(padded):
                out_dc0[row, j] = dc_n[row, j]
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
        for row in range(first, last):
            at = block_row + row - first
            if t < lengths[row]:
                _close_gates(
                    row, t, at, projected, peephole, samples, past, flat_dy, flat_cells,
                    flat_gates, dopened, opened, dgates, dh, dc, padded,
                )  # fmt: skip
            else:
                _clear(dgates, at * 4 * padded, 4 * padded)
                if projected:
                    _clear(opened, at * padded, padded)
        multiply_rows(
            rows, 4 * padded, dgates, (block_row * 4 * padded, 4 * padded, 1), work_hh,
            (0, 4 * padded * panel), width // panel, dh, (first * width, width, panel), True,
        )  # fmt: skip


@_jit.jit
def _add_peephole_gradients(
    share, shares, rows, dgates, cells, past, now, padded, spare, out_dpeephole
):
    """What a block adds, in float64 after DEPTH rows at most.

    dgates     flat; (rows, 4 padded)
    past, now  where the rows (rows, padded) of cells begin that they looked at
    spare      (3 values,)
    """
    low, high = share_of(panels_of(padded, dgates), share, shares)
    wide = lanes(dgates)
    for unit in range(low * wide, high * wide, wide):
        for row in range(0, rows, DEPTH):
            of_i = of_f = of_o = full(dgates, 0.0)
            for k in range(row, min(row + DEPTH, rows)):
                at, to = k * padded + unit, k * 4 * padded + unit
                before = load(cells, past + at)
                of_i = of_i + load(dgates, to) * before
                of_f = of_f + load(dgates, to + padded) * before
                of_o = of_o + load(dgates, to + 3 * padded) * load(cells, now + at)
            store(spare, 0, of_i)
            store(spare, wide, of_f)
            store(spare, 2 * wide, of_o)
            for gate in range(3):
                for lane in range(wide):
                    out_dpeephole[gate * padded + unit + lane] += spare[gate * wide + lane]


@_jit.jit
def _clear_sums(share, shares, gates, columns, like, sums):
    """The columns of each of `gates` that this share will add to."""
    low, high = share_of(panels_of(columns, like), share, shares)
    for gate in range(gates):
        for column in range(low * lanes(like), high * lanes(like)):
            sums[gate * columns + column] = 0.0


@_jit.jit
def _close(
    share, walked, work_steps, x, reverse, states, cells, work_ih, work_dgates, work_dstates,
    work_opened, work_a, work_b, work_spare, work_sums, work_dih, work_dhh, work_dhr, out_dx,
    out_dweight_ih, out_dweight_hh, out_dbias, out_dweight_hr, out_dpeephole,
):  # fmt: skip
    """A share of what the gradients of a block's gates give."""
    steps, samples, inputs = x.shape
    padded, width, shares, zero = cells.shape[2], states.shape[2], len(work_a), np.int64(0)
    low, high, place = _block(walked, work_steps, steps, reverse)
    first_row, rows = low * samples, (high - low) * samples
    past, now = (samples, zero) if reverse else (zero, samples)
    h, c, dgates = states.reshape(-1), cells.reshape(-1), work_dgates.reshape(-1)
    dx, dhr = out_dx.reshape(-1), out_dweight_hr.reshape(-1)
    if walked == 0:
        _clear_sums(share, shares, np.int64(1), 4 * padded, h, out_dbias)
        if out_dpeephole.size:
            _clear_sums(share, shares, np.int64(3), padded, h, out_dpeephole)
    close_block(
        share, shares, first_row, rows, dgates, 4 * padded, x.reshape(-1), inputs, h,
        past * width, width, place, work_ih, work_a[share], work_b[share], work_spare[share],
        work_dih, work_dhh, dx, out_dweight_ih.reshape(-1), out_dweight_hh.reshape(-1), out_dbias,
    )  # fmt: skip
    if dhr.size:
        close_block(
            share, shares, zero, rows, work_dstates.reshape(-1), width, work_opened.reshape(-1),
            padded, h, zero, zero, place, work_ih, work_a[share], work_b[share],
            work_spare[share], work_dhr, work_dhr[:0], dx[:0], dhr, dhr[:0], work_sums,
        )  # fmt: skip
    if out_dpeephole.size:
        _add_peephole_gradients(
            share, shares, rows, dgates, c, (past + first_row) * padded,
            (now + first_row) * padded, padded, work_spare[share], out_dpeephole,
        )  # fmt: skip


@_jit.parallel
def backward(
    dy, dh_n, dc_n, x, weight_ih, weight_hh, weight_hr, peephole, lengths, reverse, states, cells,
    gates, work_steps, work_ih, work_hh, work_hr, work_dgates, work_dstates, work_opened,
    work_dopened, work_a, work_b, work_spare, work_sums, work_dih, work_dhh, work_dhr,
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
    work_a, work_b, work_spare  of `products_scratch`; a slice of samples goes to a thread
    work_sums     (width,) float64
    work_dih      (4 padded I,) float64, work_dhh (4 padded width,), work_dhr (width padded,);
                  empty if one group of blocks suffices
    out_dx        (T, N, I), out_dh0 (N, width), out_dc0 (N, padded)
    out_dweight_ih  (4 padded, I), out_dweight_hh (4 padded, width)
    out_dweight_hr  (width, padded)
    out_dbias     (4 padded,) float64, out_dpeephole (3 padded,) float64
    """
    steps, _, inputs = x.shape
    width, slices = states.shape[2], len(work_a)
    panels = panels_of(inputs, states) + panels_of(width, states)
    if work_hr.size:
        panels += panels_of(cells.shape[2], states)
    for index in prange(panels):
        panel = np.int64(index)
        _pack(panel, width, weight_ih, weight_hh, weight_hr, work_ih, work_hh, work_hr)
    for walked in range((steps + work_steps - 1) // work_steps):
        for index in prange(slices):
            share = np.int64(index)
            _walk_back(
                share, slices, walked, work_steps, dy, dh_n, dc_n, peephole, lengths, reverse,
                cells, gates, work_hh, work_hr, work_dgates, work_dstates, work_opened,
                work_dopened, out_dh0, out_dc0,
            )  # fmt: skip
        for index in prange(slices):
            share = np.int64(index)
            _close(
                share, walked, work_steps, x, reverse, states, cells, work_ih, work_dgates,
                work_dstates, work_opened, work_a, work_b, work_spare, work_sums, work_dih,
                work_dhh, work_dhr, out_dx, out_dweight_ih, out_dweight_hh, out_dbias,
                out_dweight_hr, out_dpeephole,
            )  # fmt: skip
    for index in prange(slices):
        share = np.int64(index)
        settle(share, slices, work_dih, out_dweight_ih.reshape(-1))
        settle(share, slices, work_dhh, out_dweight_hh.reshape(-1))
        settle(share, slices, work_dhr, out_dweight_hr.reshape(-1))
