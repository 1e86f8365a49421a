"""The walk through time.

The weights are packed into panels, which stay in L2, once for all steps. A panel of each gate's
sums becomes a panel of states while it is in L1. Few rows are multiplied with all panels at once,
which one row needs to keep the arithmetic busy, after what the inputs add was computed for all
steps; and so are rows whose reset gates come before a product, which meets all of them.
"""

from kernels import _jit
from kernels._jit import jit, parallel
from kernels._recurrent import (
    active_rows,
    copy_row,
    pack_for_states,
    share_of,
    sum_inputs_ahead,
    write_output,
)
from kernels._simd import lanes
from kernels._tile import FEW_ROWS, multiply_rows

from .steps import reset, update, update_reset


def is_ahead(samples, slices):
    """Whether what the inputs add is computed for all steps at once."""
    return samples <= FEW_ROWS * slices


@jit
def _walk(
    first, last, x, bias, lengths, reset_after, reverse, work_ih, work_hh, work_ahead, work_sums,
    out_states, out_gates,
):  # fmt: skip
    """All steps of samples [first, last)."""
    steps, samples, inputs = x.shape
    width, padded = bias.size, bias.size // 4
    flat_x, states, gates = x.reshape(-1), out_states.reshape(-1), out_gates.reshape(-1)
    wide = lanes(states)
    panels, hidden = padded // wide, work_hh.size // (3 * padded)
    ahead = work_ahead.size > 0
    sums = work_ahead.reshape(-1) if ahead else work_sums
    turn = 1 if reset_after and not ahead else panels
    pitch, spread = turn * wide, panels // turn
    for step in range(steps):
        t = steps - 1 - step if reverse else step
        past, now = (t + 1, t) if reverse else (t, t + 1)
        rows = active_rows(lengths, t, first, last)
        source, target = (past * samples + first) * padded, (now * samples + first) * padded
        to = (t * samples + first) * width
        at = to if ahead else 0
        of_x, of_h = ((t * samples + first) * inputs, inputs, 1), (source, padded, 1)
        for panel in range(0, panels, turn):
            if not ahead:
                multiply_rows(
                    rows, inputs, flat_x, of_x, work_ih,
                    (panel * inputs * wide, spread * inputs * wide), 3 * turn, sums,
                    (at, 4 * pitch, wide), False,
                )  # fmt: skip
            depth = hidden * wide
            multiply_rows(
                rows, hidden, states, of_h, work_hh, (panel * depth, spread * depth), 2 * turn,
                sums, (at, 4 * pitch, wide), True,
            )  # fmt: skip
            if reset_after:
                multiply_rows(
                    rows, hidden, states, of_h, work_hh,
                    ((2 * panels + panel) * depth, spread * depth), turn, sums,
                    (at + 3 * pitch, 4 * pitch, wide), False,
                )  # fmt: skip
            for row in range(rows):
                if t < lengths[first + row]:
                    here, before = at + row * 4 * pitch, source + row * padded
                    if reset_after:
                        update(
                            sums, here, pitch, bias, panel * wide, pitch, states, before,
                            target + row * padded, gates, to + row * width,
                        )  # fmt: skip
                    else:
                        reset(sums, here, bias, states, before)
        if not reset_after:
            multiply_rows(
                rows, hidden, sums, (at + 3 * padded, width, 1), work_hh,
                (2 * panels * hidden * wide, hidden * wide), panels, sums,
                (at + 2 * padded, width, wide), True,
            )  # fmt: skip
            for row in range(rows):
                if t < lengths[first + row]:
                    update_reset(
                        sums, at + row * width, bias, states, source + row * padded,
                        target + row * padded, gates, to + row * width,
                    )  # fmt: skip
        for row in range(last - first):
            if t >= lengths[first + row]:
                copy_row(states, source + row * padded, target + row * padded, padded)


@parallel
def _walk_slices(
    share, x, h0, bias, lengths, reset_after, reverse, work_ih, work_hh, work_ahead, work_sums,
    out_states, out_gates, out_y,
):  # fmt: skip
    steps, samples, _ = x.shape
    padded, slices = h0.shape[1], len(work_sums)
    before, behind = steps if reverse else 0, 0 if reverse else samples * padded
    first, last = share_of(samples, share, slices)
    for row in range(first, last):
        for j in range(padded):
            out_states[before, row, j] = h0[row, j]
    _walk(
        first, last, x, bias, lengths, reset_after, reverse, work_ih, work_hh, work_ahead,
        work_sums[share], out_states, out_gates,
    )  # fmt: skip
    if out_y.size:
        write_output(out_states.reshape(-1), behind, lengths, first, last, out_y)


def forward(
    x, h0, weight_ih, weight_hh, bias, lengths, reset_after, reverse, work_ih, work_hh, work_ahead,
    work_sums, out_states, out_gates, out_y,
):  # fmt: skip
    """As the reference, with H rounded up to `padded` everywhere but in the weights.

    work_ih     (3 I padded,), work_hh (3 H padded,)
    work_ahead  (T, N, 4 padded), or empty: see `is_ahead`; it may be `out_gates`
    work_sums   (slices, most samples of a slice times 4 values), 4 padded where reset before; a
                slice of the samples goes to a thread
    out_gates   (T, N, 4 padded), or empty: not kept
    out_y       (T, N, padded), or empty where no sample is shorter than T
    """
    padded = h0.shape[1]
    pack_for_states(weight_ih, weight_hh, 3, work_ih, work_hh)
    if work_ahead.size:
        threads = _jit.get_num_threads()
        sum_inputs_ahead(x, work_ih, 3, threads, padded, 4 * padded, 0, work_ahead)
    _walk_slices(
        len(work_sums), x, h0, bias, lengths, reset_after, reverse, work_ih, work_hh, work_ahead,
        work_sums, out_states, out_gates, out_y,
    )  # fmt: skip
