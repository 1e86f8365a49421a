"""The walk back through time."""

import numpy as np

from kernels import _jit
from kernels._jit import prange
from kernels._recurrent import (
    active_rows,
    add_column_sums,
    add_weight_gradients,
    empty_group,
    input_gradients,
    pack_rows,
    panels_of,
    place_in_group,
    settle,
    share_of,
)
from kernels._simd import lanes
from kernels._tile import multiply_rows

from .steps import clear, reset_slopes, slopes


@_jit.jit
def _walk_back(
    first, last, low, high, dy, states, gates, lengths, reset_after, reverse, work_hh, work_dgates,
    work_kept, out_dh0,
):  # fmt: skip
    """Steps [low, high) of samples [first, last), the latest first."""
    _, samples, padded = dy.shape
    width = 4 * padded
    flat_dy, flat_states, flat_gates = dy.reshape(-1), states.reshape(-1), gates.reshape(-1)
    dgates, kept, dh = work_dgates.reshape(-1), work_kept.reshape(-1), out_dh0.reshape(-1)
    wide = lanes(dh)
    panels, panel = padded // wide, 3 * padded * wide
    of_dh, of_rz = (first * padded, padded, wide), (0, panel)
    of_n = 2 * padded * wide, panel
    for step in range(high - low):
        t = low + step if reverse else high - 1 - step
        past = t + 1 if reverse else t
        rows = active_rows(lengths, t, first, last)
        block = (t - low) * samples
        for row in range(first, last):
            to = (block + row) * width
            if t < lengths[row]:
                here = t * samples + row
                slopes(
                    reset_after, flat_gates, here * width, flat_dy, here * padded, flat_states,
                    (past * samples + row) * padded, dh, row * padded, dgates, to, padded,
                )  # fmt: skip
            else:
                clear(dgates, to, width)
        start = (block + first) * width
        if reset_after:
            multiply_rows(
                rows, padded, dgates, (start + 3 * padded, width, 1), work_hh, of_n, panels, dh,
                of_dh, True,
            )  # fmt: skip
        else:
            multiply_rows(
                rows, padded, dgates, (start + 2 * padded, width, 1), work_hh, of_n, panels,
                dgates, (start + 3 * padded, width, wide), False,
            )  # fmt: skip
            for row in range(first, last):
                to, of_kept = (block + row) * width, (block + row) * padded
                if t < lengths[row]:
                    reset_slopes(
                        flat_gates, (t * samples + row) * width, flat_states,
                        (past * samples + row) * padded, dh, row * padded, dgates, to, kept,
                        of_kept, padded,
                    )  # fmt: skip
                else:
                    clear(kept, of_kept, padded)
        multiply_rows(
            rows, 2 * padded, dgates, (start, width, 1), work_hh, of_rz, panels, dh, of_dh, True
        )


@_jit.jit
def _add_part(
    low, high, share, shares, rows, dgates, width, x, x_start, inputs, h, h_start, hidden, place,
    skipped, work_a, work_b, work_spare, work_dih, work_dhh, out_dih, out_dhh,
):  # fmt: skip
    """A share of the weights' gradients from columns [low, high) of the gates'.

    inputs, hidden  0 for weights that these gates do not meet
    skipped         columns that have no row in out_dhh, all before `low`
    """
    begins, ends, fresh = place
    first, last = share_of(panels_of(high - low, dgates), share, shares)
    first, last = low + first * lanes(dgates), low + last * lanes(dgates)
    if last == first:
        return
    of_h = first - skipped
    add_weight_gradients(
        rows, dgates, 0, width, first, last, x, x_start, inputs, h, h_start, hidden, not begins,
        work_a, work_b, work_spare, out_dih, first * inputs, out_dhh, of_h * hidden,
    )  # fmt: skip
    if ends:
        count = last - first
        empty_group(out_dih, first * inputs, last * inputs, fresh, work_dih)
        empty_group(out_dhh, of_h * hidden, (of_h + count) * hidden, fresh, work_dhh)


@_jit.jit
def _close_block(
    share, shares, first_row, rows, dgates, kept, x, inputs, states, h_start, padded, reset_after,
    place, work_ih, work_a, work_b, work_spare, work_dih, work_dhh, dx, dih, dhh, out_dbias,
):  # fmt: skip
    """A share of what follows from a block's gradients of gates: those of x, weights, biases."""
    width = 4 * padded
    if dx.size:
        low, high = share_of(rows, share, shares)
        input_gradients(
            low, high, dgates, 0, width, 3 * padded, work_ih, inputs, work_spare, dx,
            first_row * inputs,
        )  # fmt: skip
    of_x, of_h = inputs if dih.size else 0, padded if dhh.size else 0
    x_start, before = first_row * inputs, h_start + first_row * padded
    _add_part(
        0, 2 * padded, share, shares, rows, dgates, width, x, x_start, of_x, states, before, of_h,
        place, 0, work_a, work_b, work_spare, work_dih, work_dhh, dih, dhh,
    )  # fmt: skip
    if reset_after:
        _add_part(
            2 * padded, 3 * padded, share, shares, rows, dgates, width, x, x_start, of_x, states,
            before, 0, place, 0, work_a, work_b, work_spare, work_dih, work_dhh, dih, dhh,
        )  # fmt: skip
        _add_part(
            3 * padded, width, share, shares, rows, dgates, width, x, x_start, 0, states, before,
            of_h, place, padded, work_a, work_b, work_spare, work_dih, work_dhh, dih, dhh,
        )  # fmt: skip
    else:
        _add_part(
            2 * padded, 3 * padded, share, shares, rows, dgates, width, x, x_start, of_x, kept, 0,
            of_h, place, 0, work_a, work_b, work_spare, work_dih, work_dhh, dih, dhh,
        )  # fmt: skip
    biases = (4 if reset_after else 3) * padded
    low, high = share_of(panels_of(biases, dgates), share, shares)
    low, high = low * lanes(dgates), high * lanes(dgates)
    add_column_sums(rows, dgates, 0, width, low, high, work_spare, out_dbias)


@_jit.parallel
def backward(
    dy, dh_n, x, states, gates, weight_ih, weight_hh, lengths, reset_after, reverse, work_ih,
    work_hh, work_dgates, work_kept, work_a, work_b, work_spare, work_dih, work_dhh,
    out_dx, out_dh0, out_dweight_ih, out_dweight_hh, out_dbias,
):  # fmt: skip
    """As the reference, with H rounded up to `padded` everywhere but in the weights given.

    work_ih         (3 padded, I up to whole panels), work_hh (3 padded padded,)
    work_dgates     (steps of a block, N, 4 padded)
    work_kept       (steps of a block, N, padded), or empty where reset after
    work_a, _b, _spare  of `products_scratch` for 2 padded columns, a slice of samples to a thread
    work_dih        (3 padded I,) float64, work_dhh (3 padded padded,); empty if a group suffices
    out_dx          (T, N, I), out_dweight_ih (3 padded, I), out_dweight_hh (3 padded, padded), each
                    empty if not wanted
    out_dbias       (4 padded,) float64
    """
    steps, samples, inputs = x.shape
    padded, slices, block_steps = states.shape[2], len(work_a), len(work_dgates)
    panels_ih, panels_hh = panels_of(inputs, states), panels_of(padded, states)
    for index in prange(panels_ih + panels_hh):
        panel = np.int64(index)
        if panel < panels_ih:
            pack_rows(weight_ih, 3, panel, work_ih)
        else:
            pack_rows(weight_hh, 3, panel - panels_ih, work_hh)
    for row in range(samples):
        for j in range(padded):
            out_dh0[row, j] = dh_n[row, j]
    for j in range(out_dbias.size):
        out_dbias[j] = 0.0
    before = samples * padded if reverse else 0
    dgates, kept, flat_x = work_dgates.reshape(-1), work_kept.reshape(-1), x.reshape(-1)
    h, dx = states.reshape(-1), out_dx.reshape(-1)
    dih, dhh = out_dweight_ih.reshape(-1), out_dweight_hh.reshape(-1)
    blocks = (steps + block_steps - 1) // block_steps
    for walked in range(blocks):
        block = walked if reverse else blocks - 1 - walked
        low, high = block * block_steps, min(steps, (block + 1) * block_steps)
        place = place_in_group(block, blocks, reverse)
        for index in prange(slices):
            first, last = share_of(samples, np.int64(index), slices)
            _walk_back(
                first, last, low, high, dy, states, gates, lengths, reset_after, reverse, work_hh,
                work_dgates, work_kept, out_dh0,
            )  # fmt: skip
        for index in prange(slices):
            share = np.int64(index)
            _close_block(
                share, slices, low * samples, (high - low) * samples, dgates, kept, flat_x, inputs,
                h, before, padded, reset_after, place, work_ih, work_a[share], work_b[share],
                work_spare[share], work_dih, work_dhh, dx, dih, dhh, out_dbias,
            )  # fmt: skip
    for index in prange(slices):
        share = np.int64(index)
        settle(share, slices, work_dih, dih)
        settle(share, slices, work_dhh, dhh)
