"""All steps of the LSTM in Numba: samples on threads, time inside.

8 T N H (I + P) flops, and 2 T N H P for a projection; the weights are packed into panels once for
all steps. A panel of units has its four gates beside it: their sums over inputs and states stay
in L1 until the units are opened, and no sum over the inputs goes to memory. Where a thread has
but a row or two, what the inputs add is computed ahead, for all steps at once.
"""

import numpy as np

from kernels import _jit
from kernels._jit import jit, parallel
from kernels._recurrent import (
    active_rows,
    copy_row,
    pack_for_states,
    share_of,
    squash,
    sum_inputs_ahead,
    write_output,
)
from kernels._simd import lanes, load, store
from kernels._tile import FEW_ROWS, multiply_rows
from kernels.lstm.units import open_gates


@jit
def _open_rows(
    first, rows, t, unit, wide, lengths, sums, sums_place, bias, peephole, cells, cells_past,
    cells_now, out, out_place, gates, gates_start,
):  # fmt: skip
    """Units [unit, unit + wide) of the samples that run: new cells, o tanh(cell) to `out`.

    sums_place  (start, step of a row, step of a gate)
    out_place   (start, step of a row)
    """
    padded = bias.size // 4
    sums_start, sums_row, gap = sums_place
    out_start, out_row = out_place
    for row in range(rows):
        if t >= lengths[first + row]:
            continue
        cell_row = (first + row) * padded
        gates_row = gates_start + (first + row) * 4 * padded
        for j in range(0, wide, lanes(sums)):
            place = cell_row + unit + j
            c = load(cells, cells_past + place)
            at = sums_start + row * sums_row + j
            i, f, g, o, c = open_gates(sums, at, gap, bias, peephole, unit + j, c)
            store(cells, cells_now + place, c)
            store(out, out_start + row * out_row + unit + j, o * squash(c))
            if gates.size:
                to = gates_row + unit + j
                store(gates, to, i)
                store(gates, to + padded, f)
                store(gates, to + 2 * padded, g)
                store(gates, to + 3 * padded, o)


@jit
def _begin(first, last, reverse, h0, c0, out_states, out_cells):
    before = len(out_states) - 1 if reverse else 0
    cells_before = before if len(out_cells) > 1 else 0
    for row in range(first, last):
        for j in range(h0.shape[1]):
            out_states[before, row, j] = h0[row, j]
        for j in range(c0.shape[1]):
            out_cells[cells_before, row, j] = c0[row, j]


@parallel
def _walk_slices(
    share, x, h0, c0, weight_hr, bias, peephole, lengths, reverse, work_ih, work_hh, work_hr,
    work_ahead, work_sums, work_open, out_states, out_cells, out_gates, out_y,
):  # fmt: skip
    steps, samples, inputs = x.shape
    first, last = share_of(samples, share, len(work_sums))
    _begin(first, last, reverse, h0, c0, out_states, out_cells)
    padded, width, zero, one = bias.size // 4, out_states.shape[2], np.int64(0), np.int64(1)
    flat_x, states, cells = x.reshape(-1), out_states.reshape(-1), out_cells.reshape(-1)
    gates, opened = out_gates.reshape(-1), work_open.reshape(-1)
    ahead = work_ahead.size > 0
    sums = work_ahead.reshape(-1) if ahead else work_sums[share].reshape(-1)
    panel, units, depth = lanes(states), padded // lanes(states), work_hh.size // (4 * padded)
    # The four gates of one panel of units, or all panels of all gates.
    each, at_once = (units, 4 * units) if ahead else (one, 4 * one)
    wide = each * panel
    cells_step = samples * padded if len(out_cells) > 1 else 0
    for step in range(steps):
        t = steps - 1 - step if reverse else step
        past, now = (t + 1, t) if reverse else (t, t + 1)
        rows = active_rows(lengths, t, first, last)
        source, target = (past * samples + first) * width, (now * samples + first) * width
        cells_past, cells_now = past * cells_step, now * cells_step
        gates_start = t * samples * 4 * padded
        sums_start = gates_start + first * 4 * padded if ahead else zero
        out, out_place = states, (target, width)
        if weight_hr.size:
            out, out_place = opened, (first * padded, padded)
        for unit in range(0, units, each):
            of_x, of_h = unit * inputs * panel, unit * depth * panel
            if not ahead:
                multiply_rows(
                    rows, inputs, flat_x, ((t * samples + first) * inputs, inputs, one), work_ih,
                    (of_x, units * inputs * panel), at_once, sums, (zero, 4 * wide, panel), False,
                )  # fmt: skip
            gap = depth * panel if ahead else units * depth * panel
            multiply_rows(
                rows, depth, states, (source, width, one), work_hh, (of_h, gap), at_once, sums,
                (sums_start, 4 * wide, panel), True,
            )  # fmt: skip
            _open_rows(
                first, rows, t, unit * panel, wide, lengths, sums, (sums_start, 4 * wide, wide),
                bias, peephole, cells, cells_past, cells_now, out, out_place, gates, gates_start,
            )  # fmt: skip
        if weight_hr.size:
            hidden = weight_hr.shape[1]
            multiply_rows(
                rows, hidden, opened, (first * padded, padded, one), work_hr,
                (zero, hidden * panel), width // panel, states, (target, width, panel), False,
            )  # fmt: skip
        for row in range(last - first):
            if t >= lengths[first + row]:
                copy_row(states, source + row * width, target + row * width, width)
                at = (first + row) * padded
                copy_row(cells, cells_past + at, cells_now + at, padded)
    if out_y.size:
        write_output(states, zero if reverse else samples * width, lengths, first, last, out_y)


def forward(
    x, h0, c0, weight_ih, weight_hh, bias, weight_hr, peephole, lengths, reverse,
    work_ih, work_hh, work_hr, work_ahead, work_sums, work_open,
    out_states, out_cells, out_gates, out_y,
):  # fmt: skip
    """As the reference, with units padded to whole values.

    x           (T, N, I) float32 | float64, C-contiguous
    h0          (N, width), P padded; c0 (N, padded), H padded
    weight_ih   (4H, I), weight_hh (4H, P), weight_hr (P, H) or (0, H)
    bias        (4 padded,), peephole (3 padded,) or (0,)
    lengths     (N,) int64
    work_ih     (I 4 padded,), work_hh (P 4 padded,), work_hr (H width,) or empty
    work_ahead  (T, N, 4 padded), or empty: see `is_ahead`; it may be `out_gates`
    work_sums   (slices, most samples of a slice, 4 values); a slice of samples goes to a thread
    work_open   (N, padded), or empty without a projection
    out_states  (T + 1, N, width)
    out_cells   (T + 1, N, padded), or (1, N, padded) for the last ones alone
    out_gates   (T, N, 4 padded), or empty: not kept
    out_y       (T, N, width), or empty where no sample is shorter than T
    """
    padded = c0.shape[1]
    pack_for_states(weight_ih, weight_hh, 4, work_ih, work_hh)
    if weight_hr.size:
        pack_for_states(weight_hr, weight_hr[:0], 1, work_hr, work_hr[:0])
    if work_ahead.size:
        threads = _jit.get_num_threads()
        sum_inputs_ahead(x, work_ih, 4, threads, padded, 4 * padded, 0, work_ahead)
    _walk_slices(
        len(work_sums), x, h0, c0, weight_hr, bias, peephole, lengths, reverse, work_ih, work_hh,
        work_hr, work_ahead, work_sums, work_open, out_states, out_cells, out_gates, out_y,
    )  # fmt: skip


def is_ahead(samples, slices):
    """Whether the sums over the inputs are computed for all steps at once."""
    return samples <= FEW_ROWS * slices
