"""Gated recurrent units: one layer over a whole sequence, in one direction.

    r, z = sigmoid of  W_i x + b_i + W_h h + b_h, the rows of r and of z
    n = tanh(W_in x + b_in + r * (W_hn h + b_hn))
    h' = (1 - z) * n + z * h

Cho et al. 2014 with the reset gate after the product, as PyTorch and cuDNN have it, or before it,
as the paper: n = tanh(W_in x + b_in + W_hn (r * h) + b_hn). `forward` returns the outputs and the
last states, `backward` the gradients through time. float32 or float64, one dtype in a call.
"""

from typing import NamedTuple

import numpy as np

from kernels import _memory
from kernels._device import Implementations, device_of
from kernels._recurrent import (
    Sequence,
    Weights,
    asked_for,
    check_shapes,
    plain_arrays,
    sequence_of,
)
from kernels.gru import cpu, reference

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)

__all__ = ["IMPLEMENTATIONS", "Saved", "backward", "forward"]


class Saved(NamedTuple):
    run: Sequence
    weights: Weights
    states: np.ndarray  # (T + 1, N, H), in the order of time
    gates: np.ndarray  # (T, N, 4 H)
    reset_after: bool


def forward(
    x: np.ndarray,
    h0: np.ndarray,
    weight_ih: np.ndarray,
    weight_hh: np.ndarray,
    bias_ih: np.ndarray | None = None,
    bias_hh: np.ndarray | None = None,
    *,
    reset_after: bool = True,
    lengths: np.ndarray | None = None,
    reverse: bool = False,
    save: bool = True,
) -> tuple[tuple[np.ndarray, np.ndarray], Saved | None]:
    """Return the outputs y (T, N, H) and the last states h_n (N, H).

    x            (T, N, I), T steps of N samples
    h0           (N, H)
    weight_ih    (3 H, I): rows of r, z, n; weight_hh (3 H, H)
    bias_ih      (3 H,), or None for zeros; bias_hh the same
    reset_after  the reset gate comes after the product with h, or before it
    lengths      (N,) int64, each from 1 to T, or None for T: past a sample's end y is 0 and its
                 state stays
    reverse      run each sample from its last step to its first
    save         keep what `backward` needs; else the second result is None

    Raises TypeError for other dtypes, ValueError for other shapes and for lengths out of range.

    >>> import numpy as np
    >>> from kernels import gru
    >>> x, h0 = np.zeros((2, 1, 1)), np.array([[8.0]])
    >>> gru.forward(x, h0, np.zeros((3, 1)), np.zeros((3, 1)))[0][0].ravel()
    array([4., 2.])
    """
    given = {"x": x, "h0": h0, "weight_ih": weight_ih, "weight_hh": weight_hh}
    arrays = plain_arrays("gru", given, bias_ih=bias_ih, bias_hh=bias_hh)
    run = sequence_of("gru", arrays, 3, lengths, reverse)
    steps, samples, hidden, dtype = run.steps, run.samples, run.hidden, run.x.dtype
    check_shapes("gru", arrays, weight_hh=(3 * hidden, hidden), h0=(samples, hidden))
    reset_after = bool(reset_after)
    bias = _biases(arrays, hidden, reset_after)
    weights = Weights(arrays["weight_ih"], arrays["weight_hh"], bias)
    states, y = run.states(hidden), run.output(hidden)
    gates = _memory.empty((steps if save else 0, samples, 4 * hidden), dtype)
    if samples:
        implementation = IMPLEMENTATIONS[device_of(run.x)]
        implementation.forward(
            x=run.x,
            h0=arrays["h0"],
            weights=weights,
            lengths=run.lengths,
            reset_after=reset_after,
            reverse=run.reverse,
            **_memory.scratch(implementation.forward_scratch(run.x, weights, reset_after, gates)),
            out_states=states,
            out_gates=gates,
            out_y=y,
        )
    outputs = run.outputs(states, y)
    return outputs, Saved(run, weights, states, gates, reset_after) if save else None


def backward(
    dy: np.ndarray | None,
    dh_n: np.ndarray | None,
    saved: Saved | None,
    needs: tuple[bool, ...] = (True,) * 6,
) -> tuple[np.ndarray | None, ...]:
    """Return dx, dh0, dweight_ih, dweight_hh, dbias_ih, dbias_hh.

    None stands for what is not needed or was not given; a dy or dh_n that is None counts as
    zeros. Past a sample's end dy is ignored and dx is 0.

    Raises TypeError for another dtype and ValueError for another shape than y's and h_n's, or
    where forward saved nothing.
    """
    if saved is None:
        raise ValueError("gru: expected what forward saved, got None: it ran with save=False")
    run, weights, states, gates, reset_after = saved
    samples, hidden = run.samples, run.hidden
    needs = (*needs[:4], needs[4] and run.biases[0], needs[5] and run.biases[1])
    dy = run.incoming("dy", dy, run.steps, samples, hidden)
    dh_n = run.incoming("dh_n", dh_n, samples, hidden)
    dx, dh0 = run.gradient(run.x, needs[0]), run.gradient(dh_n)
    asked = needs[2], needs[3], needs[4] or needs[5]
    dweights = Weights(*map(run.gradient, weights, asked))
    if samples:
        implementation = IMPLEMENTATIONS[device_of(run.x)]
        work = implementation.backward_scratch(dy, run.x, weights, reset_after, dweights)
        implementation.backward(
            dy=dy,
            dh_n=dh_n,
            x=run.x,
            states=states,
            gates=gates,
            weights=weights,
            lengths=run.lengths,
            reset_after=reset_after,
            reverse=run.reverse,
            **_memory.scratch(work),
            out_dx=dx,
            out_dh0=dh0,
            out_dweights=dweights,
        )
    r, z, n, u = np.split(dweights.bias, 4)
    dbiases = np.concatenate([r, z, n]), np.concatenate([r, z, u if reset_after else n])
    return asked_for(needs, dx, dh0, dweights.ih, dweights.hh, *dbiases)


def _biases(arrays: dict[str, np.ndarray], hidden: int, reset_after: bool) -> np.ndarray:
    """Of r, z, n and u, which has one where reset after."""
    none = np.zeros(3 * hidden, arrays["x"].dtype)
    of_x, of_h = arrays.get("bias_ih", none), arrays.get("bias_hh", none)
    bias = np.append(of_x, none[:hidden])
    bias[: 2 * hidden] += of_h[: 2 * hidden]
    bias[3 * hidden if reset_after else 2 * hidden :][:hidden] += of_h[2 * hidden :]
    return bias
