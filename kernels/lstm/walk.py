"""The walk through time: samples on threads, all steps inside.

The weights are packed into panels once for all steps. A panel of units has its four gates beside
it: their sums over inputs and states stay in L1 until the units are opened, and no sum over the
inputs goes to memory. Where a thread has but a row or two, what the inputs add is computed ahead,
for all steps at once.
"""

from kernels._jit import jit, parallel
from kernels._recurrent import (
    active_rows,
    in_time,
    multiply_gates,
    pack_for_states,
    padded_size,
    share_of,
    squash,
    sum_inputs_ahead,
    walk_in,
    walk_scratch,
    write_output,
)
from kernels._simd import lanes, load_masked, store_masked, values_across
from kernels._tile import copy, multiply_rows
from kernels.lstm.cell import open_gates


@jit
def _open_row(sums, at, wide, vectors, units, old_cells, new_cells, of_cells, m, of_m, gates, to):
    """Units [first, last) of a row: new cells, m = o tanh(cell), and gates unless empty."""
    (bias, peephole), (first, last), hidden = vectors, units, vectors[0].size // 4
    for unit in range(first, last, lanes(sums)):
        rest = last - unit
        c = load_masked(old_cells, of_cells + unit, rest, 0.0)
        i, f, g, o, c = open_gates(sums, at + unit - first, wide, bias, peephole, unit, rest, c)
        store_masked(new_cells, of_cells + unit, rest, c)
        store_masked(m, of_m + unit, rest, o * squash(c))
        if gates.size:
            store_masked(gates, to + unit, rest, i)
            store_masked(gates, to + hidden + unit, rest, f)
            store_masked(gates, to + 2 * hidden + unit, rest, g)
            store_masked(gates, to + 3 * hidden + unit, rest, o)


@jit
def _project(rows, first, packed_hr, work_m, work_projected):
    """Rows of m, from sample `first` on, become states."""
    hidden, padded, states = work_m.shape[1], work_projected.shape[1], work_projected.reshape(-1)
    multiply_rows(
        rows, hidden, work_m.reshape(-1), (first * hidden, hidden, 1), packed_hr,
        (0, hidden * lanes(states)), padded // lanes(states), states,
        (first * padded, padded, lanes(states)), False,
    )  # fmt: skip


@parallel
def _walk(
    share, shares, x, vectors, lengths, reverse, packed, ahead, work_sums, work_projection,
    inout_states, inout_cells, out_gates, out_y,
):  # fmt: skip
    """All steps of a share of the samples."""
    (packed_ih, packed_hh, packed_hr), (work_m, work_projected) = packed, work_projection
    (before, out_after), (cells_before, out_cells) = inout_states, inout_cells
    (steps, samples, inputs), (_, _, projected) = x.shape, before.shape
    hidden, width, sums = vectors[0].size // 4, work_sums.shape[2], work_sums.reshape(-1)
    wide = width // 4
    first, last = share_of(samples, share, shares)
    panels, at_once = values_across(hidden, sums), wide // lanes(sums)
    flat_x, old, new = x.reshape(-1), before.reshape(-1), out_after.reshape(-1)
    old_cells, new_cells = cells_before.reshape(-1), out_cells.reshape(-1)
    gates, m = out_gates.reshape(-1), work_m.reshape(-1)
    for step in range(steps):
        t = steps - 1 - step if reverse else step
        rows, row = active_rows(lengths, t, first, last), t * samples + first
        place = (row if ahead else first) * width, width
        of_x, of_h = (flat_x, row * inputs, inputs), (old, row * projected, projected)
        # Where nothing is saved, there is one cell for all steps.
        cell_row = row if len(out_cells) > 1 else first
        for panel in range(0, panels, at_once):
            units = panel, at_once, panels
            if not ahead:
                multiply_gates(rows, inputs, of_x, packed_ih, (0, 4), units, sums, place, False)
            multiply_gates(rows, projected, of_h, packed_hh, (0, 4), units, sums, place, True)
            unit = panel * lanes(sums)
            units = unit, min(hidden, unit + wide)
            for i in range(rows):
                if t >= lengths[first + i]:
                    continue
                at, of_cells, to = place[0] + i * width, (cell_row + i) * hidden, (row + i) * hidden
                target, of_m = new, to
                if m.size:
                    target, of_m = m, (first + i) * hidden
                _open_row(
                    sums, at, wide, vectors, units, old_cells, new_cells, of_cells, target, of_m,
                    gates, 4 * to,
                )  # fmt: skip
        if m.size:
            _project(rows, first, packed_hr, work_m, work_projected)
        for i in range(last - first):
            to, of_cells = (row + i) * projected, (cell_row + i) * hidden
            if t >= lengths[first + i]:
                copy(old, to, new, to, projected)
                copy(old_cells, of_cells, new_cells, of_cells, hidden)
            elif m.size:
                padded = work_projected.shape[1]
                copy(work_projected.reshape(-1), (first + i) * padded, new, to, projected)
    if out_y.size:
        write_output(out_after, lengths, first, last, out_y)


def forward_scratch(x, weights, out_gates):
    """That of a projection, m = o tanh(c) and what it makes of that, is empty without one."""
    dtype, (width, hidden) = x.dtype, weights.hr.shape
    samples, padded = x.shape[1] if width else 0, padded_size(width, dtype)
    projection = {
        "packed_hr": (padded * hidden, dtype),
        "m": ((samples, hidden), dtype),
        "projected": ((samples, padded), dtype),
    }
    return walk_scratch(x, weights, 4, out_gates) | {"work_projection": projection}


def forward(
    x, h0, c0, weights, lengths, reverse, work, work_projection, out_states, out_cells, out_gates,
    out_y,
):  # fmt: skip
    """As the reference; an empty y is what the steps left.

    work_*     of `forward_scratch`
    out_cells  (T + 1, N, H), or (1, N, H) for the last ones alone
    out_gates  (T, N, 4H), or empty: not kept
    """
    shares, packed_ih, packed_hh, ahead, sums = walk_in(work, out_gates)
    packed_hr, m, projected = (work_projection[name] for name in ("packed_hr", "m", "projected"))
    states = in_time(out_states, reverse)
    cells = in_time(out_cells, reverse) if len(out_cells) > 1 else (out_cells, out_cells)
    first = -1 if reverse else 0
    out_states[first], out_cells[first] = h0, c0
    pack_for_states(weights.ih, weights.hh, 4, packed_ih, packed_hh)
    if m.size:
        pack_for_states(weights.hr, weights.hr[:0], 1, packed_hr, packed_hr[:0])
    if ahead:
        sum_inputs_ahead(x, packed_ih, sums)
    _walk(
        shares, shares, x, (weights.bias, weights.peephole), lengths, reverse,
        (packed_ih, packed_hh, packed_hr), ahead, sums, (m, projected), states, cells, out_gates,
        out_y,
    )  # fmt: skip
