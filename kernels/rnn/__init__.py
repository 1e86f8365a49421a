"""The plain recurrent network (Elman 1990): one layer over a whole sequence, in one direction.

h[t] = tanh(W_ih x[t] + b_ih + W_hh h[t - 1] + b_hh), or the larger of that sum and 0. `forward`
returns the outputs and the last states, `backward` gradients through time. float32 or float64,
one dtype in a call.
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
    sum_of_biases,
)
from kernels.rnn import cpu, reference

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)

__all__ = ["IMPLEMENTATIONS", "Saved", "backward", "forward"]

_NONLINEARITIES = ("tanh", "relu")


class Saved(NamedTuple):
    run: Sequence
    weights: Weights
    states: np.ndarray  # (T + 1, N, H), in the order of time
    relu: bool


def forward(
    x: np.ndarray,
    h0: np.ndarray,
    weight_ih: np.ndarray,
    weight_hh: np.ndarray,
    bias_ih: np.ndarray | None = None,
    bias_hh: np.ndarray | None = None,
    *,
    nonlinearity: str = "tanh",
    lengths: np.ndarray | None = None,
    reverse: bool = False,
    save: bool = True,
) -> tuple[tuple[np.ndarray, np.ndarray], Saved | None]:
    """Return the outputs y (T, N, H) and the last states h_n (N, H).

    x             (T, N, I), T steps of N samples
    h0            (N, H)
    weight_ih     (H, I), weight_hh (H, H)
    bias_ih       (H,), or None for zeros; bias_hh the same
    nonlinearity  "tanh" or "relu"
    lengths       (N,) int64, each from 1 to T, or None for T: past a sample's end y is 0 and its
                  state stays
    reverse       run each sample from its last step to its first
    save          keep what `backward` needs; else the second result is None

    Raises TypeError for other dtypes, ValueError for other shapes, for lengths out of range and
    for another nonlinearity.

    >>> import numpy as np
    >>> from kernels import rnn
    >>> x, h0, one = np.ones((3, 1, 1)), np.zeros((1, 1)), np.ones((1, 1))
    >>> rnn.forward(x, h0, one, one, nonlinearity="relu")[0][0].ravel()
    array([1., 2., 3.])
    """
    if nonlinearity not in _NONLINEARITIES:
        raise ValueError(f"rnn: expected a nonlinearity tanh or relu, got {nonlinearity!r}")
    given = {"x": x, "h0": h0, "weight_ih": weight_ih, "weight_hh": weight_hh}
    arrays = plain_arrays("rnn", given, bias_ih=bias_ih, bias_hh=bias_hh)
    run = sequence_of("rnn", arrays, 1, lengths, reverse)
    hidden = run.hidden
    check_shapes("rnn", arrays, weight_hh=(hidden, hidden), h0=(run.samples, hidden))
    weights = Weights(arrays["weight_ih"], arrays["weight_hh"], sum_of_biases(arrays))
    relu, states, y = nonlinearity == "relu", run.states(hidden), run.output(hidden)
    if run.samples:
        implementation = IMPLEMENTATIONS[device_of(run.x)]
        implementation.forward(
            x=run.x,
            h0=arrays["h0"],
            weights=weights,
            lengths=run.lengths,
            relu=relu,
            reverse=run.reverse,
            **_memory.scratch(implementation.forward_scratch(run.x, weights, run.reverse, states)),
            out_states=states,
            out_y=y,
        )
    outputs = run.outputs(states, y)
    return outputs, Saved(run, weights, states, relu) if save else None


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
        raise ValueError("rnn: expected what forward saved, got None: it ran with save=False")
    run, weights, states, relu = saved
    samples, hidden = run.samples, run.hidden
    needs = (*needs[:4], needs[4] and run.biases[0], needs[5] and run.biases[1])
    dy = run.incoming("dy", dy, run.steps, samples, hidden)
    dh_n = run.incoming("dh_n", dh_n, samples, hidden)
    dx, dh0 = run.gradient(run.x, needs[0]), run.gradient(dh_n)
    asked = needs[2], needs[3], needs[4] or needs[5]
    dweights = Weights(*map(run.gradient, weights, asked))
    if samples:
        implementation = IMPLEMENTATIONS[device_of(run.x)]
        implementation.backward(
            dy=dy,
            dh_n=dh_n,
            x=run.x,
            states=states,
            weights=weights,
            lengths=run.lengths,
            relu=relu,
            reverse=run.reverse,
            **_memory.scratch(implementation.backward_scratch(dy, run.x, weights, dweights)),
            out_dx=dx,
            out_dh0=dh0,
            out_dweights=dweights,
        )
    return asked_for(needs, dx, dh0, *dweights, dweights.bias)
