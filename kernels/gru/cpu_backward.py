"""The walk back through time."""

import numpy as np

from kernels._jit import jit, parallel
from kernels._recurrent import (
    NOTHING,
    OTHERS,
    STATES,
    active_rows,
    close_block,
    close_groups,
    pack_for_gradients,
    share_of,
    walk_blocks,
)
from kernels._simd import lanes
from kernels._tile import multiply_rows

from .steps import clear, reset_slopes, slopes


@jit
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


@parallel
def _walk_slices_back(
    share, slices, low, high, dy, states, gates, lengths, reset_after, reverse, work_hh,
    work_dgates, work_kept, out_dh0,
):  # fmt: skip
    first, last = share_of(dy.shape[1], share, slices)
    _walk_back(
        first, last, low, high, dy, states, gates, lengths, reset_after, reverse, work_hh,
        work_dgates, work_kept, out_dh0,
    )  # fmt: skip


def _parts(padded, reset_after):
    """Which columns of the gates' gradients belong to which weights, see `close_block`.

    They are those of r, z, n and, where reset after, of W_hn h; else W_hn saw r h.
    """
    both = [0, 2 * padded, 1, STATES, 0]
    if reset_after:
        of_n = [2 * padded, 3 * padded, 1, NOTHING, 0]
        return np.array([both, of_n, [3 * padded, 4 * padded, 0, STATES, 2 * padded]])
    return np.array([both, [2 * padded, 3 * padded, 1, OTHERS, 2 * padded]])


def backward(
    dy, dh_n, x, states, gates, weight_ih, weight_hh, lengths, reset_after, reverse, work_ih,
    work_hh, work_dgates, work_kept, work_a, work_b, work_spare, work_dih, work_dhh,
    out_dx, out_dh0, out_dweight_ih, out_dweight_hh, out_dbias,
):  # fmt: skip
    """As the reference, with H rounded up to `padded` everywhere but in the weights given.

    work_ih         (3 padded, I up to whole panels), work_hh (3 padded padded,)
    work_dgates     (steps of a block, N, 4 padded)
    work_kept       (steps of a block, N, padded), or empty where reset after
    work_a, _b, _spare  of `products_scratch` for 2 padded columns, for all threads
    work_dih        (3 padded I,) float64, work_dhh (3 padded padded,); empty if a group suffices
    out_dx          (T, N, I), out_dweight_ih (3 padded, I), out_dweight_hh (3 padded, padded), each
                    empty if not wanted
    out_dbias       (4 padded,) float64
    """
    steps, samples, padded = dy.shape
    pack_for_gradients(weight_ih, weight_hh, 3, work_ih, work_hh)
    out_dh0[...] = dh_n
    out_dbias[...] = 0
    dgates = work_dgates.reshape(-1, 4 * padded)
    kept = work_kept.reshape(-1, padded)
    parts, of_bias = _parts(padded, reset_after), (4 if reset_after else 3) * padded
    for low, high, place in walk_blocks(steps, len(work_dgates), reverse):
        _walk_slices_back(
            len(work_a), len(work_a), low, high, dy, states, gates, lengths, reset_after, reverse,
            work_hh, work_dgates, work_kept, out_dh0,
        )  # fmt: skip
        close_block(
            low * samples, (high - low) * samples, dgates, 3 * padded, of_bias, parts, x, states,
            samples * padded if reverse else 0, kept, place, work_ih, work_a, work_b, work_spare,
            work_dih, work_dhh, out_dx, out_dweight_ih, out_dweight_hh, out_dbias,
        )  # fmt: skip
    close_groups((work_dih, out_dweight_ih), (work_dhh, out_dweight_hh))
