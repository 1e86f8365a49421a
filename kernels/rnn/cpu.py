"""The plain recurrent network in Numba: samples on threads, all time steps inside.

2 T N H (I + H) flops forward and twice that backward; the weights are packed into panels, which
stay in L2, once for all steps. A slice of the samples walks through time by itself; where that
leaves a thread only a row or two, what the inputs add is computed ahead for all steps at once.
"""

import numpy as np

from kernels import _jit
from kernels._jit import jit, parallel
from kernels._recurrent import (
    STATES,
    active_rows,
    close_block,
    close_groups,
    copy_row,
    pack_for_gradients,
    pack_for_states,
    share_of,
    slices_of,
    squash,
    sum_inputs_ahead,
    walk_blocks,
    write_output,
)
from kernels._simd import lanes, load, maximum, select, store
from kernels._tile import FEW_ROWS, multiply_rows


@jit
def _activate(bias, relu, states, start):
    """One row of sums becomes a state."""
    for j in range(0, bias.size, lanes(states)):
        value = load(states, start + j) + load(bias, j)
        if relu:
            value = maximum(value, 0.0)
        else:
            value = squash(value)
        store(states, start + j, value)


@jit
def _walk(first, last, x, bias, lengths, relu, reverse, ahead, work_ih, work_hh, out_states):
    """All steps of samples [first, last)."""
    steps, samples, inputs = x.shape
    padded = bias.size
    states, flat_x = out_states.reshape(-1), x.reshape(-1)
    panel, panels = lanes(states), padded // lanes(states)
    hidden = work_hh.size // padded
    for step in range(steps):
        t = steps - 1 - step if reverse else step
        past, now = (t + 1, t) if reverse else (t, t + 1)
        rows = active_rows(lengths, t, first, last)
        source, target = (past * samples + first) * padded, (now * samples + first) * padded
        if not ahead:
            multiply_rows(
                rows, inputs, flat_x, ((t * samples + first) * inputs, inputs, 1), work_ih,
                (0, inputs * panel), panels, states, (target, padded, panel), False,
            )  # fmt: skip
        multiply_rows(
            rows, hidden, states, (source, padded, 1), work_hh, (0, hidden * panel), panels,
            states, (target, padded, panel), True,
        )  # fmt: skip
        for row in range(last - first):
            at = row * padded
            if t < lengths[first + row]:
                _activate(bias, relu, states, target + at)
            else:
                copy_row(states, source + at, target + at, padded)


@parallel
def _walk_slices(
    share, x, h0, bias, lengths, relu, reverse, slices, ahead, work_ih, work_hh, out_states, out_y
):
    steps, samples, padded = x.shape[0], x.shape[1], bias.size
    states = out_states.reshape(-1)
    before = steps * samples * padded if reverse else 0
    behind = 0 if reverse else samples * padded
    first, last = share_of(samples, share, slices)
    for row in range(first, last):
        for j in range(padded):
            states[before + row * padded + j] = h0[row, j]
    _walk(first, last, x, bias, lengths, relu, reverse, ahead, work_ih, work_hh, out_states)
    if out_y.size:
        write_output(states, behind, lengths, first, last, out_y)


def forward(
    x, h0, weight_ih, weight_hh, bias, lengths, relu, reverse, work_ih, work_hh, out_states, out_y
):
    """h[t] = tanh(W_ih x[t] + W_hh h[t - 1] + bias), or max(., 0) where `relu`.

    x           (T, N, I) float32 | float64, C-contiguous
    h0          (N, padded)
    weight_ih   (H, I), weight_hh (H, H)
    bias        (padded,)
    lengths     (N,) int64
    work_ih     (I padded,), work_hh (H padded,)
    out_states  (T + 1, N, padded), the first slot h0, or the last where `reverse`
    out_y       (T, N, padded), or empty where no sample is shorter than T
    """
    samples, padded = h0.shape
    pack_for_states(weight_ih, weight_hh, 1, work_ih, work_hh)
    slices = slices_of(samples)
    ahead = samples <= FEW_ROWS * slices
    if ahead:
        behind = 0 if reverse else samples * padded
        threads = _jit.get_num_threads()
        sum_inputs_ahead(x, work_ih, 1, threads, padded, padded, behind, out_states)
    _walk_slices(
        slices, x, h0, bias, lengths, relu, reverse, slices, ahead, work_ih, work_hh, out_states,
        out_y,
    )  # fmt: skip


@jit
def _slope(d, h, relu):
    """What reaches the sums of d, what reaches the state h."""
    if relu:
        return select(h > 0.0, d, 0.0)
    return d * (1.0 - h * h)


@jit
def _walk_back(
    first, last, low, high, dy, states, lengths, relu, reverse, work_hh, work_dgates, out_dh0
):
    """Steps [low, high) of samples [first, last), the latest first."""
    _, samples, padded = dy.shape
    flat_dy, flat_states = dy.reshape(-1), states.reshape(-1)
    dgates, dh = work_dgates.reshape(-1), out_dh0.reshape(-1)
    behind = 0 if reverse else samples * padded
    panel, panels = lanes(dh), padded // lanes(dh)
    for step in range(high - low):
        t = low + step if reverse else high - 1 - step
        start = ((t - low) * samples + first) * padded
        for row in range(first, last):
            to = start + (row - first) * padded
            at = (t * samples + row) * padded
            runs = t < lengths[row]
            for j in range(0, padded, lanes(dh)):
                if runs:
                    h = load(flat_states, behind + at + j)
                    d = load(flat_dy, at + j) + load(dh, row * padded + j)
                    store(dgates, to + j, _slope(d, h, relu))
                    store(dh, row * padded + j, 0.0)
                else:
                    store(dgates, to + j, 0.0)
        rows = active_rows(lengths, t, first, last)
        multiply_rows(
            rows, padded, dgates, (start, padded, 1), work_hh, (0, padded * panel), panels, dh,
            (first * padded, padded, panel), True,
        )  # fmt: skip


@parallel
def _walk_slices_back(
    share, slices, low, high, dy, states, lengths, relu, reverse, work_hh, work_dgates, out_dh0
):
    first, last = share_of(dy.shape[1], share, slices)
    _walk_back(
        first, last, low, high, dy, states, lengths, relu, reverse, work_hh, work_dgates, out_dh0
    )


def backward(
    dy, dh_n, x, states, weight_ih, weight_hh, lengths, relu, reverse,
    work_ih, work_hh, work_dgates, work_a, work_b, work_spare, work_dih, work_dhh,
    out_dx, out_dh0, out_dweight_ih, out_dweight_hh, out_dbias,
):  # fmt: skip
    """Gradients through time; dx, dweight_ih or dweight_hh without elements is not computed.

    dy              (T, N, padded), dh_n (N, padded)
    states          as `forward` wrote them
    work_ih         (padded, I up to whole panels), work_hh (padded padded,)
    work_dgates     (steps of a block N, padded)
    work_a, work_b, work_spare  of `products_scratch`, for all threads
    work_dih        (padded I,) float64, work_dhh (padded padded,); empty if GROUP blocks suffice
    out_dx          (T, N, I)
    out_dh0         (N, padded)
    out_dweight_ih  (padded, I), out_dweight_hh (padded, padded), out_dbias (padded,) float64
    """
    steps, samples, padded = dy.shape
    pack_for_gradients(weight_ih, weight_hh, 1, work_ih, work_hh)
    out_dh0[...] = dh_n
    out_dbias[...] = 0
    parts = np.array([[0, padded, 1, STATES, 0]])
    for low, high, place in walk_blocks(steps, len(work_dgates) // samples, reverse):
        _walk_slices_back(
            len(work_a), len(work_a), low, high, dy, states, lengths, relu, reverse, work_hh,
            work_dgates, out_dh0,
        )  # fmt: skip
        close_block(
            low * samples, (high - low) * samples, work_dgates, padded, padded, parts, x, states,
            samples * padded if reverse else 0, work_dgates, place, work_ih, work_a, work_b,
            work_spare, work_dih, work_dhh, out_dx, out_dweight_ih, out_dweight_hh, out_dbias,
        )  # fmt: skip
    close_groups((work_dih, out_dweight_ih), (work_dhh, out_dweight_hh))
