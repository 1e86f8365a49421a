"""Long short-term memory over a sequence: one layer, one direction, all time steps.

    i, f, g, o = sigmoid, sigmoid, tanh, sigmoid of  W_ih x[t] + b_ih + W_hh h[t - 1] + b_hh
    c[t] = f c[t - 1] + i g
    h[t] = o tanh(c[t])

Hochreiter & Schmidhuber 1997, the forget gate of Gers, Schmidhuber & Cummins 2000. On request with
peepholes (Gers, Schraudolph & Schmidhuber 2002): p_i c[t - 1], p_f c[t - 1] and p_o c[t] join the
sums of i, f and o; or with a projection (Sak, Senior & Beaufays 2014): h[t] = W_hr (o tanh(c[t])).
`forward` returns the outputs and the last states, `backward` gradients through time. float32 or
float64, one dtype in a call.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kernels import _jit, _memory
from kernels._recurrent import (
    check_gradient,
    check_inputs,
    check_lengths,
    check_shapes,
    lanes_of,
    narrowed,
    narrowed_gates,
    padded_size,
    plain_arrays,
    products_scratch,
    slices_of,
    steps_of,
    sum_of_biases,
    wide_scratch,
    widened,
    widened_gates,
    without_padding,
)
from kernels.lstm import cpu, reference

IMPLEMENTATIONS = {"reference": reference, "cpu": cpu}

__all__ = ["IMPLEMENTATIONS", "Saved", "backward", "forward"]

Gradient = np.ndarray | None


class Saved(NamedTuple):
    x: np.ndarray
    weight_ih: np.ndarray
    weight_hh: np.ndarray
    weight_hr: np.ndarray  # (0, H) without a projection
    peephole: np.ndarray  # (3 padded,), or (0,) without
    biases: tuple[bool, bool]
    lengths: np.ndarray
    states: np.ndarray  # (T + 1, N, P padded), in the order of time
    cells: np.ndarray  # (T + 1, N, padded)
    gates: np.ndarray  # (T, N, 4 padded)
    reverse: bool


def forward(
    x: np.ndarray,
    h0: np.ndarray,
    c0: np.ndarray,
    weight_ih: np.ndarray,
    weight_hh: np.ndarray,
    bias_ih: np.ndarray | None = None,
    bias_hh: np.ndarray | None = None,
    *,
    weight_hr: np.ndarray | None = None,
    peephole: np.ndarray | None = None,
    lengths: np.ndarray | None = None,
    reverse: bool = False,
    save: bool = True,
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], Saved | None]:
    """Return the outputs y (T, N, P) and the last states h_n (N, P) and c_n (N, H).

    x          (T, N, I), T steps of N samples
    h0         (N, P), where P = H without a projection; c0 (N, H)
    weight_ih  (4H, I), rows of i, f, g and o; weight_hh (4H, P)
    bias_ih    (4H,), or None for zeros; bias_hh the same
    weight_hr  (P, H), or None: no projection
    peephole   (3, H), rows p_i, p_f and p_o, or None
    lengths    (N,) int64, each from 1 to T, or None for T: past a sample's end y is 0, x is not
               looked at and the state stays
    reverse    run each sample from its last step to its first
    save       keep what `backward` needs; else the second result is None

    Raises TypeError for other dtypes, ValueError for other shapes and for lengths out of range.

    >>> import numpy as np
    >>> from kernels import lstm
    >>> x, state, weight = np.ones((3, 1, 1)), np.zeros((1, 1)), np.full((4, 1), 20.0)
    >>> (y, h_n, c_n), saved = lstm.forward(x, state, state, weight, weight)
    >>> c_n.round(3), np.array_equal(y[-1], h_n)
    (array([[3.]]), True)
    """
    given = {"x": x, "h0": h0, "c0": c0, "weight_ih": weight_ih, "weight_hh": weight_hh}
    plain = plain_arrays(
        "lstm", given, bias_ih=bias_ih, bias_hh=bias_hh, weight_hr=weight_hr, peephole=peephole
    )
    steps, samples, inputs, hidden = check_inputs("lstm", plain, 4)
    projected = _check_states(plain, samples, hidden)
    ends = check_lengths("lstm", lengths, steps, samples)
    x, dtype = plain["x"], plain["x"].dtype
    masked = lengths is not None
    if masked:
        x = without_padding(x, ends)
    padded, width = padded_size(hidden, dtype), padded_size(projected, dtype)
    weight_hr = plain.get("weight_hr", np.zeros((0, hidden), dtype))
    gaps = np.zeros(0, dtype)
    if "peephole" in plain:
        gaps = widened(plain["peephole"], padded).reshape(-1)

    slices = slices_of(samples)
    ahead = bool(samples) and cpu.is_ahead(samples, slices)
    states = _memory.empty((steps + 1, samples, width), dtype)
    cells = _memory.empty((steps + 1 if save else 1, samples, padded), dtype)
    gates = _memory.empty((steps if save else 0, samples, 4 * padded), dtype)
    y = _memory.empty((steps, samples, width) if masked else (0, 0, 0), dtype)
    if samples:
        sums = gates if save else _memory.empty((steps, samples, 4 * padded), dtype)
        cpu.forward(
            x=x,
            h0=widened(plain["h0"], width),
            c0=widened(plain["c0"], padded),
            weight_ih=plain["weight_ih"],
            weight_hh=plain["weight_hh"],
            bias=widened_gates(sum_of_biases(plain), 4, padded),
            weight_hr=weight_hr,
            peephole=gaps,
            lengths=ends,
            reverse=bool(reverse),
            work_ih=_memory.empty(inputs * 4 * padded, dtype),
            work_hh=_memory.empty(projected * 4 * padded, dtype),
            work_hr=_memory.empty(hidden * width if weight_hr.size else 0, dtype),
            work_ahead=sums if ahead else sums[:0],
            work_sums=_memory.empty((slices, -(-samples // slices), 4 * lanes_of(dtype)), dtype),
            work_open=_memory.empty((samples if weight_hr.size else 0, padded), dtype),
            out_states=states,
            out_cells=cells,
            out_gates=gates,
            out_y=y,
        )
    if not masked:
        y = states[:-1] if reverse else states[1:]
    h_n, c_n = (kept[0 if reverse else -1] for kept in (states, cells))
    outputs = narrowed(y, projected), h_n[:, :projected].copy(), c_n[:, :hidden].copy()
    if not save:
        return outputs, None
    return outputs, Saved(
        x=x,
        weight_ih=plain["weight_ih"],
        weight_hh=plain["weight_hh"],
        weight_hr=weight_hr,
        peephole=gaps,
        biases=(bias_ih is not None, bias_hh is not None),
        lengths=ends,
        states=states,
        cells=cells,
        gates=gates,
        reverse=bool(reverse),
    )


def backward(
    dy: np.ndarray | None,
    dh_n: np.ndarray | None,
    dc_n: np.ndarray | None,
    saved: Saved | None,
    needs: Sequence[bool] = (True,) * 9,
) -> tuple[Gradient, ...]:
    """Return dx, dh0, dc0, dweight_ih, dweight_hh, dbias_ih, dbias_hh, dweight_hr, dpeephole.

    None stands for what is not needed or was not given; a dy, dh_n or dc_n that is None counts as
    zeros. Past a sample's end dy is ignored and dx is 0.

    Raises TypeError for another dtype and ValueError for another shape than the outputs', or
    where forward saved nothing.
    """
    if saved is None:
        raise ValueError("lstm: expected what forward saved, got None: it ran with save=False")
    steps, samples, inputs = saved.x.shape
    hidden, projected = len(saved.weight_ih) // 4, saved.weight_hh.shape[1]
    dtype, padded, width = saved.x.dtype, saved.cells.shape[2], saved.states.shape[2]
    dy = check_gradient("lstm", "dy", dy, (steps, samples, projected), dtype)
    dh_n = check_gradient("lstm", "dh_n", dh_n, (samples, projected), dtype)
    dc_n = check_gradient("lstm", "dc_n", dc_n, (samples, hidden), dtype)
    has_projection, has_peephole = saved.weight_hr.size > 0, saved.peephole.size > 0
    dx = _memory.empty(saved.x.shape if needs[0] else (0, 0, 0), dtype)
    dh0, dc0 = np.empty((samples, width), dtype), np.empty((samples, padded), dtype)
    # An empty batch adds nothing to its weights' gradients; any other writes them.
    new = _memory.empty if samples else _memory.zeros
    dweight_ih = new((4 * padded if needs[3] else 0, inputs), dtype)
    dweight_hh = new((4 * padded if needs[4] else 0, width), dtype)
    dweight_hr = new((width if needs[7] and has_projection else 0, padded), dtype)
    dbias = new(4 * padded, np.float64)
    dpeephole = new(3 * padded if needs[8] and has_peephole else 0, np.float64)
    if samples:
        block_steps = min(steps_of(samples), steps)
        rows = block_steps * samples
        weights = dweight_ih, dweight_hh, dweight_hr
        work_dih, work_dhh, work_dhr = wide_scratch(steps, samples, *(w.size for w in weights))
        extra = rows if has_projection else 0
        cpu.backward(
            dy=widened(dy, width),
            dh_n=widened(dh_n, width),
            dc_n=widened(dc_n, padded),
            x=saved.x,
            weight_ih=saved.weight_ih,
            weight_hh=saved.weight_hh,
            weight_hr=saved.weight_hr,
            peephole=saved.peephole,
            lengths=saved.lengths,
            reverse=saved.reverse,
            states=saved.states,
            cells=saved.cells,
            gates=saved.gates,
            work_steps=block_steps,
            work_ih=_memory.empty(4 * padded * padded_size(inputs, dtype), dtype),
            work_hh=_memory.empty(4 * padded * width, dtype),
            work_hr=_memory.empty(width * padded if has_projection else 0, dtype),
            work_dgates=_memory.empty((rows, 4 * padded), dtype),
            work_dstates=_memory.empty((extra, width), dtype),
            work_opened=_memory.empty((extra, padded), dtype),
            work_dopened=_memory.empty((samples if has_projection else 0, padded), dtype),
            **products_scratch(max(4 * padded, width), _jit.get_num_threads(), dtype),
            work_dih=work_dih,
            work_dhh=work_dhh,
            work_dhr=work_dhr,
            out_dx=dx,
            out_dh0=dh0,
            out_dc0=dc0,
            out_dweight_ih=dweight_ih,
            out_dweight_hh=dweight_hh,
            out_dbias=dbias,
            out_dweight_hr=dweight_hr,
            out_dpeephole=dpeephole,
        )
    dbias = narrowed_gates(dbias, 4, hidden).astype(dtype)
    return (
        dx if needs[0] else None,
        narrowed(dh0, projected) if needs[1] else None,
        narrowed(dc0, hidden) if needs[2] else None,
        narrowed_gates(dweight_ih, 4, hidden) if needs[3] else None,
        narrowed(narrowed_gates(dweight_hh, 4, hidden), projected) if needs[4] else None,
        dbias if needs[5] and saved.biases[0] else None,
        dbias.copy() if needs[6] and saved.biases[1] else None,
        narrowed(dweight_hr[:projected], hidden) if needs[7] and has_projection else None,
        narrowed(dpeephole.reshape(3, padded), hidden).astype(dtype)
        if needs[8] and has_peephole
        else None,
    )


def _check_states(plain: dict[str, np.ndarray], samples: int, hidden: int) -> int:
    """Check what is as wide as the states or the cells; return P."""
    projected = hidden
    if "weight_hr" in plain:
        weight_hr = plain["weight_hr"]
        if weight_hr.ndim != 2 or not len(weight_hr):
            raise ValueError(
                f"lstm: expected weight_hr of shape (P, {hidden}), got {weight_hr.shape}"
            )
        projected = len(weight_hr)
    check_shapes(
        "lstm",
        plain,
        h0=(samples, projected),
        c0=(samples, hidden),
        weight_hh=(4 * hidden, projected),
        weight_hr=(projected, hidden),
        peephole=(3, hidden),
    )
    return projected
