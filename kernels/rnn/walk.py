"""The walk through time: samples on threads, all steps inside.

The weights are packed into panels, which stay in L2, once for all steps. The sums of a panel of
units become states while they are in L1. Where a thread has but a row or two, what the inputs add
is computed ahead for all steps at once.
"""

from kernels._jit import jit, parallel
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
from kernels._simd import lanes, load, load_some, store_some, values_across
from kernels._tile import copy
from kernels.rnn.cell import activate


@jit
def _finish_row(sums, at, bias, units, relu, states, to):
    """The state of units [first, last) of a row, from their sums."""
    first, last = units
    for unit in range(first, last, lanes(sums)):
        rest = last - unit
        total = load(sums, at + unit - first) + load_some(bias, unit, rest, 0.0)
        store_some(states, to + unit, rest, activate(total, relu))


@parallel
def _walk(
    share, shares, x, bias, lengths, relu, reverse, packed, ahead, work_sums, before, out_after,
    out_y,
):  # fmt: skip
    """All steps of a share of the samples."""
    steps, samples, inputs = x.shape
    hidden, wide, sums = bias.size, work_sums.shape[2], work_sums.reshape(-1)
    first, last = share_of(samples, share, shares)
    panels, at_once = values_across(hidden, sums), wide // lanes(sums)
    flat_x, old, new = x.reshape(-1), before.reshape(-1), out_after.reshape(-1)
    for step in range(steps):
        t = steps - 1 - step if reverse else step
        rows, row = active_rows(lengths, t, first, last), t * samples + first
        place = (row if ahead else first) * wide, wide
        for panel in range(0, panels, at_once):
            gates, units = (0, 1), (panel, at_once, panels)
            if not ahead:
                of_x = flat_x, row * inputs, inputs
                multiply_gates(rows, inputs, of_x, packed[0], gates, units, sums, place, False)
            of_h = old, row * hidden, hidden
            multiply_gates(rows, hidden, of_h, packed[1], gates, units, sums, place, True)
            unit = panel * lanes(sums)
            units = unit, min(hidden, unit + wide)
            for i in range(rows):
                if t < lengths[first + i]:
                    at, to = place[0] + i * wide, (row + i) * hidden
                    _finish_row(sums, at, bias, units, relu, new, to)
        for i in range(last - first):
            if t >= lengths[first + i]:
                copy(old, (row + i) * hidden, new, (row + i) * hidden, hidden)
    if out_y.size:
        write_output(out_after, lengths, first, last, out_y)


def forward_scratch(x, weights, reverse, out_states):
    return walk_scratch(x, weights, 1, in_time(out_states, reverse)[1], all_units=True)


def forward(x, h0, weights, lengths, relu, reverse, work, out_states, out_y):
    """As the reference; nothing is written to an empty y: it is what the steps left.

    x, h0, states  float32 | float64, C-contiguous
    work           of `forward_scratch`
    """
    weight_ih, weight_hh, bias = weights
    before, after = in_time(out_states, reverse)
    shares, packed_ih, packed_hh, ahead, sums = walk_in(work, after)
    out_states[-1 if reverse else 0] = h0
    pack_for_states(weight_ih, weight_hh, 1, packed_ih, packed_hh)
    if ahead:
        sum_inputs_ahead(x, packed_ih, sums)
    _walk(
        shares, shares, x, bias, lengths, relu, reverse, (packed_ih, packed_hh), ahead, sums,
        before, after, out_y,
    )  # fmt: skip
