"""The walk through time: samples on threads, all steps inside.

The weights are packed into panels, which stay in L2, once for all steps. A panel of each gate's
sums becomes a panel of states while it is in L1. Few rows are multiplied with all panels at once,
which one row needs to keep the arithmetic busy, after what the inputs add was computed for all
steps; and so are rows whose reset gates come before a product, which meets all of them.
"""

from kernels._jit import parallel
from kernels._recurrent import (
    active_rows,
    in_time,
    multiply_gates,
    pack_for_states,
    share_of,
    sum_inputs_ahead,
    walk_in,
    walk_scratch,
    write_output,
)
from kernels._simd import clear, lanes, values_across
from kernels._tile import copy
from kernels.gru.cell import reset, update, update_reset


@parallel
def _walk(
    share, shares, x, bias, lengths, reset_after, reverse, packed, ahead, work_sums, before,
    out_after, out_gates, out_y,
):  # fmt: skip
    """All steps of a share of the samples."""
    (packed_ih, packed_hh), (steps, samples, inputs) = packed, x.shape
    hidden, width, sums = bias.size // 4, work_sums.shape[2], work_sums.reshape(-1)
    wide = width // 4
    first, last = share_of(samples, share, shares)
    panels, at_once = values_across(hidden, sums), wide // lanes(sums)
    flat_x, gates = x.reshape(-1), out_gates.reshape(-1)
    old, new = before.reshape(-1), out_after.reshape(-1)
    for step in range(steps):
        t = steps - 1 - step if reverse else step
        rows, row = active_rows(lengths, t, first, last), t * samples + first
        start = (row if ahead else first) * width
        of_x, of_h = (flat_x, row * inputs, inputs), (old, row * hidden, hidden)
        of_rzn, of_n, of_u = (start, width), (start + 2 * wide, width), (start + 3 * wide, width)
        for panel in range(0, panels, at_once):
            units = panel, at_once, panels
            if not ahead:
                multiply_gates(rows, inputs, of_x, packed_ih, (0, 3), units, sums, of_rzn, False)
            multiply_gates(rows, hidden, of_h, packed_hh, (0, 2), units, sums, of_rzn, True)
            if reset_after:
                multiply_gates(rows, hidden, of_h, packed_hh, (2, 1), units, sums, of_u, False)
            unit = panel * lanes(sums)
            units = unit, min(hidden, unit + wide)
            for i in range(rows):
                at, own = start + i * width, (row + i) * hidden
                if t < lengths[first + i]:
                    if reset_after:
                        update(sums, at, wide, bias, units, old, new, own, gates, 4 * own)
                    else:
                        reset(sums, at, wide, bias, old, own)
        if not reset_after:
            u, units = (sums, start + 3 * wide, width), (0, panels, panels)
            multiply_gates(rows, hidden, u, packed_hh, (2, 1), units, sums, of_n, True)
            for i in range(rows):
                at, own = start + i * width, (row + i) * hidden
                if t < lengths[first + i]:
                    update_reset(sums, at, wide, bias, old, new, own, gates, 4 * own)
        for i in range(last - first):
            if t >= lengths[first + i]:
                own = (row + i) * hidden
                copy(old, own, new, own, hidden)
                if gates.size and not reset_after:
                    clear(gates, 4 * own + 3 * hidden, hidden)
    if out_y.size:
        write_output(out_after, lengths, first, last, out_y)


def forward_scratch(x, weights, reset_after, out_gates):
    return walk_scratch(x, weights, 4, out_gates, all_units=not reset_after)


def forward(x, h0, weights, lengths, reset_after, reverse, work, out_states, out_gates, out_y):
    """As the reference; gates without elements are not kept, an empty y is what the steps left.

    work  of `forward_scratch`
    """
    weight_ih, weight_hh, bias = weights
    shares, packed_ih, packed_hh, ahead, sums = walk_in(work, out_gates)
    before, after = in_time(out_states, reverse)
    out_states[-1 if reverse else 0] = h0
    pack_for_states(weight_ih, weight_hh, 3, packed_ih, packed_hh)
    if ahead:
        sum_inputs_ahead(x, packed_ih, sums)
    _walk(
        shares, shares, x, bias, lengths, reset_after, reverse, (packed_ih, packed_hh), ahead,
        sums, before, after, out_gates, out_y,
    )  # fmt: skip
