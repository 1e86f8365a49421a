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

from typing import NamedTuple

import numpy as np

from kernels import _memory
from kernels._device import Implementations, device_of
from kernels._recurrent import (
    Sequence,
    asked_for,
    check_shapes,
    plain_arrays,
    sequence_of,
    sum_of_biases,
)
from kernels.lstm import cpu, reference
from kernels.lstm.weights import Weights

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)

__all__ = ["IMPLEMENTATIONS", "Saved", "backward", "forward"]


class Saved(NamedTuple):
    run: Sequence
    weights: Weights
    states: np.ndarray  # (T + 1, N, P), in the order of time
    cells: np.ndarray  # (T + 1, N, H)
    gates: np.ndarray  # (T, N, 4H)


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
    arrays = plain_arrays(
        "lstm", given, bias_ih=bias_ih, bias_hh=bias_hh, weight_hr=weight_hr, peephole=peephole
    )
    run = sequence_of("lstm", arrays, 4, lengths, reverse)
    steps, samples, hidden, dtype = run.steps, run.samples, run.hidden, run.x.dtype
    width, none = _check_states(arrays, samples, hidden), np.zeros((0, hidden), dtype)
    weights = Weights(
        arrays["weight_ih"],
        arrays["weight_hh"],
        sum_of_biases(arrays),
        arrays.get("weight_hr", none),
        arrays.get("peephole", none),
    )
    states, y = run.states(width), run.output(width)
    cells = _memory.empty((steps + 1 if save else 1, samples, hidden), dtype)
    gates = _memory.empty((steps if save else 0, samples, 4 * hidden), dtype)
    if samples:
        implementation = IMPLEMENTATIONS[device_of(run.x)]
        implementation.forward(
            x=run.x,
            h0=arrays["h0"],
            c0=arrays["c0"],
            weights=weights,
            lengths=run.lengths,
            reverse=run.reverse,
            **_memory.scratch(implementation.forward_scratch(run.x, weights, gates)),
            out_states=states,
            out_cells=cells,
            out_gates=gates,
            out_y=y,
        )
    outputs = *run.outputs(states, y), run.last(cells)
    return outputs, Saved(run, weights, states, cells, gates) if save else None


def backward(
    dy: np.ndarray | None,
    dh_n: np.ndarray | None,
    dc_n: np.ndarray | None,
    saved: Saved | None,
    needs: tuple[bool, ...] = (True,) * 9,
) -> tuple[np.ndarray | None, ...]:
    """Return dx, dh0, dc0, dweight_ih, dweight_hh, dbias_ih, dbias_hh, dweight_hr, dpeephole.

    None stands for what is not needed or was not given; a dy, dh_n or dc_n that is None counts as
    zeros. Past a sample's end dy is ignored and dx is 0.

    Raises TypeError for another dtype and ValueError for another shape than the outputs', or
    where forward saved nothing.
    """
    if saved is None:
        raise ValueError("lstm: expected what forward saved, got None: it ran with save=False")
    run, weights, states, cells, gates = saved
    samples, hidden, width = run.samples, run.hidden, weights.hh.shape[1]
    given = *run.biases, weights.hr.size > 0, weights.peephole.size > 0
    needs = (*needs[:5], *(n and g for n, g in zip(needs[5:], given, strict=True)))
    dy = run.incoming("dy", dy, run.steps, samples, width)
    dh_n = run.incoming("dh_n", dh_n, samples, width)
    dc_n = run.incoming("dc_n", dc_n, samples, hidden)
    dx, dh0, dc0 = run.gradient(run.x, needs[0]), run.gradient(dh_n), run.gradient(dc_n)
    asked = needs[3], needs[4], needs[5] or needs[6], needs[7], needs[8]
    dweights = Weights(*map(run.gradient, weights, asked))
    if samples:
        implementation = IMPLEMENTATIONS[device_of(run.x)]
        implementation.backward(
            dy=dy,
            dh_n=dh_n,
            dc_n=dc_n,
            x=run.x,
            weights=weights,
            lengths=run.lengths,
            reverse=run.reverse,
            states=states,
            cells=cells,
            gates=gates,
            **_memory.scratch(implementation.backward_scratch(run.x, weights, dweights)),
            out_dx=dx,
            out_dh0=dh0,
            out_dc0=dc0,
            out_dweights=dweights,
        )
    dih, dhh, dbias, dhr, dpeephole = dweights
    return asked_for(needs, dx, dh0, dc0, dih, dhh, dbias, dbias, dhr, dpeephole)


def _check_states(arrays: dict[str, np.ndarray], samples: int, hidden: int) -> int:
    """Check what is as wide as the states or the cells; return P."""
    projected = hidden
    if "weight_hr" in arrays:
        weight_hr = arrays["weight_hr"]
        if weight_hr.ndim != 2 or not len(weight_hr):
            raise ValueError(
                f"lstm: expected weight_hr of shape (P, {hidden}), got {weight_hr.shape}"
            )
        projected = len(weight_hr)
    check_shapes(
        "lstm",
        arrays,
        h0=(samples, projected),
        c0=(samples, hidden),
        weight_hh=(4 * hidden, projected),
        weight_hr=(projected, hidden),
        peephole=(3, hidden),
    )
    return projected
