"""All steps of the LSTM in Numba: samples on threads, time inside.

8 T N H (I + P) flops, and 2 T N H P for a projection; the weights are packed into panels once for
all steps. A panel of units has its four gates beside it: their sums over inputs and states stay
in L1 until the units are opened, and no sum over the inputs goes to memory. Where a thread has
but a row or two, what the inputs add is computed ahead, for all steps at once.
"""

import numpy as np

from kernels import _jit
from kernels._jit import prange
from kernels._math import tanh
from kernels._recurrent import (
    active_rows,
    copy_row,
    inputs_ahead,
    pack_columns,
    panels_of,
    share_of,
    write_output,
)
from kernels._simd import lanes, load, store
from kernels._tile import FEW_ROWS, multiply_rows

from .units import open_gates


@_jit.jit
def _open_rows(
    first, rows, t, unit, wide, lengths, sums, sums_start, sums_row, gap, bias, peephole,
    cells, cells_past, cells_now, out, out_start, out_row, gates, gates_start
):  # fmt: skip
    """Units [unit, unit + wide) of the samples that run: new cells, o tanh(cell) to `out`."""
    padded = bias.size // 4
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
            store(out, out_start + row * out_row + unit + j, o * tanh(c))
            if gates.size:
                to = gates_row + unit + j
                store(gates, to, i)
                store(gates, to + padded, f)
                store(gates, to + 2 * padded, g)
                store(gates, to + 3 * padded, o)


@_jit.jit
def _walk(
    first, last, x, weight_hr, bias, peephole, lengths, reverse, work_ih, work_hh, work_hr,
    work_ahead, work_sums, work_open, out_states, out_cells, out_gates,
):  # fmt: skip
    """All steps of samples [first, last)."""
    steps, samples, inputs = x.shape
    padded, width = bias.size // 4, out_states.shape[2]
    flat_x, states, cells = x.reshape(-1), out_states.reshape(-1), out_cells.reshape(-1)
    gates, opened, ahead = out_gates.reshape(-1), work_open.reshape(-1), work_ahead.reshape(-1)
    panel, units, depth = lanes(states), padded // lanes(states), work_hh.size // (4 * padded)
    cells_step = samples * padded if len(out_cells) > 1 else 0
    for step in range(steps):
        t = steps - 1 - step if reverse else step
        past, now = (t + 1, t) if reverse else (t, t + 1)
        rows = active_rows(lengths, t, first, last)
        source, target = (past * samples + first) * width, (now * samples + first) * width
        cells_past, cells_now = past * cells_step, now * cells_step
        gates_start = t * samples * 4 * padded
        out, out_start, out_row = states, target, width
        if weight_hr.size:
            out, out_start, out_row = opened, first * padded, padded
        h_place = source, width, 1
        if ahead.size:
            start = gates_start + first * 4 * padded
            multiply_rows(
                rows, depth, states, h_place, work_hh, (0, depth * panel), 4 * units, ahead,
                (start, 4 * padded, panel), True,
            )  # fmt: skip
            _open_rows(
                first, rows, t, 0, padded, lengths, ahead, start, 4 * padded, padded, bias,
                peephole, cells, cells_past, cells_now, out, out_start, out_row, gates, gates_start,
            )  # fmt: skip
        else:
            x_place = (t * samples + first) * inputs, inputs, 1
            sums_place = 0, 4 * panel, panel
            for unit in range(units):
                of_x, of_h = unit * inputs * panel, unit * depth * panel
                multiply_rows(
                    rows, inputs, flat_x, x_place, work_ih, (of_x, units * inputs * panel), 4,
                    work_sums, sums_place, False,
                )  # fmt: skip
                multiply_rows(
                    rows, depth, states, h_place, work_hh, (of_h, units * depth * panel), 4,
                    work_sums, sums_place, True,
                )  # fmt: skip
                _open_rows(
                    first, rows, t, unit * panel, panel, lengths, work_sums, 0, 4 * panel, panel,
                    bias, peephole, cells, cells_past, cells_now, out, out_start, out_row, gates,
                    gates_start,
                )  # fmt: skip
        if weight_hr.size:
            hidden = weight_hr.shape[1]
            multiply_rows(
                rows, hidden, opened, (out_start, padded, 1), work_hr, (0, hidden * panel),
                width // panel, states, (target, width, panel), False,
            )  # fmt: skip
        for row in range(last - first):
            if t >= lengths[first + row]:
                copy_row(states, source + row * width, target + row * width, width)
                at = (first + row) * padded
                copy_row(cells, cells_past + at, cells_now + at, padded)


@_jit.parallel
def forward(
    x, h0, c0, weight_ih, weight_hh, bias, weight_hr, peephole, lengths, reverse,
    work_ih, work_hh, work_hr, work_ahead, work_sums, work_open,
    out_states, out_cells, out_gates, out_y,
):  # fmt: skip
    """As the reference, with units padded to whole values.

    x          (T, N, I) float32 | float64, C-contiguous
    h0         (N, width), P padded; c0 (N, padded), H padded
    weight_ih  (4H, I), weight_hh (4H, P), weight_hr (P, H) or (0, H)
    bias       (4 padded,), peephole (3 padded,) or (0,)
    lengths    (N,) int64
    work_ih    (I 4 padded,), work_hh (P 4 padded,), work_hr (H width,)
    work_ahead (T, N, 4 padded), or empty: see `is_ahead`; it may be `out_gates`
    work_sums  (slices, most samples of a slice, 4 values); a slice of samples goes to a thread
    work_open  (N, padded), or empty without a projection
    out_states (T + 1, N, width)
    out_cells  (T + 1, N, padded), or (1, N, padded) for the last ones alone
    out_gates  (T, N, 4 padded), or empty: not kept
    out_y      (T, N, width), or empty where no sample is shorter than T
    """
    steps, samples, _ = x.shape
    padded, width, slices = bias.size // 4, out_states.shape[2], len(work_sums)
    of_gates = 4 * panels_of(padded, out_states)
    of_outputs = panels_of(width, out_states) if weight_hr.size else 0
    for index in prange(2 * of_gates + of_outputs):
        panel = np.int64(index)
        if panel < of_gates:
            pack_columns(weight_ih, 4, panel, work_ih)
        elif panel < 2 * of_gates:
            pack_columns(weight_hh, 4, panel - of_gates, work_hh)
        else:
            pack_columns(weight_hr, 1, panel - 2 * of_gates, work_hr)
    if work_ahead.size:
        for index in prange(slices):
            low, high = share_of(steps * samples, np.int64(index), slices)
            inputs_ahead(
                x.reshape(-1), low, high, work_ih, 4, work_ahead.reshape(-1), 0, 4 * padded, padded
            )  # fmt: skip
    before = steps if reverse else 0
    cells_before = before if len(out_cells) > 1 else 0
    for index in prange(slices):
        share = np.int64(index)
        first, last = share_of(samples, share, slices)
        for row in range(first, last):
            for j in range(width):
                out_states[before, row, j] = h0[row, j]
            for j in range(padded):
                out_cells[cells_before, row, j] = c0[row, j]
        _walk(
            first, last, x, weight_hr, bias, peephole, lengths, reverse, work_ih, work_hh,
            work_hr, work_ahead, work_sums[share].reshape(-1), work_open, out_states, out_cells,
            out_gates,
        )  # fmt: skip
        if out_y.size:
            behind = 0 if reverse else samples * width
            write_output(out_states.reshape(-1), behind, lengths, first, last, out_y)


def is_ahead(samples, slices):
    """Whether the sums over the inputs are computed for all steps at once."""
    return samples <= FEW_ROWS * slices
