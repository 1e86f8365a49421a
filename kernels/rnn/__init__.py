"""The plain recurrent network (Elman 1990): one layer over a whole sequence, in one direction.

h[t] = tanh(W_ih x[t] + b_ih + W_hh h[t - 1] + b_hh), or the larger of that sum and 0. `forward`
returns the outputs and the last states, `backward` gradients through time. float32 or float64,
one dtype in a call.
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
    narrowed,
    padded_size,
    plain_arrays,
    products_scratch,
    steps_of,
    sum_of_biases,
    wide_scratch,
    widened,
    without_padding,
)
from kernels.rnn import cpu, reference

IMPLEMENTATIONS = {"reference": reference, "cpu": cpu}

__all__ = ["IMPLEMENTATIONS", "Saved", "backward", "forward"]

Gradient = np.ndarray | None

_NONLINEARITIES = ("tanh", "relu")


class Saved(NamedTuple):
    x: np.ndarray
    weight_ih: np.ndarray
    weight_hh: np.ndarray
    biases: tuple[bool, bool]
    lengths: np.ndarray
    states: np.ndarray  # (T + 1, N, padded), in the order of time
    relu: bool
    reverse: bool


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
    plain = plain_arrays("rnn", given, bias_ih=bias_ih, bias_hh=bias_hh)
    x, h0 = plain["x"], plain["h0"]
    steps, samples, inputs, hidden = check_inputs("rnn", plain, 1)
    check_shapes("rnn", plain, weight_hh=(hidden, hidden), h0=(samples, hidden))
    ends = check_lengths("rnn", lengths, steps, samples)
    dtype = x.dtype
    padded = padded_size(hidden, dtype)
    states = _memory.empty((steps + 1, samples, padded), dtype)
    masked = lengths is not None
    if masked:
        x = without_padding(x, ends)
    y = _memory.empty((steps, samples, padded) if masked else (0, 0, 0), dtype)
    if samples:
        cpu.forward(
            x=x,
            h0=widened(h0, padded),
            weight_ih=plain["weight_ih"],
            weight_hh=plain["weight_hh"],
            bias=widened(sum_of_biases(plain), padded),
            lengths=ends,
            relu=nonlinearity == "relu",
            reverse=bool(reverse),
            work_ih=_memory.empty(inputs * padded, dtype),
            work_hh=_memory.empty(hidden * padded, dtype),
            out_states=states,
            out_y=y,
        )
    if not masked:
        y = states[:-1] if reverse else states[1:]
    outputs = narrowed(y, hidden), states[0 if reverse else -1, :, :hidden].copy()
    if not save:
        return outputs, None
    return outputs, Saved(
        x=x,
        weight_ih=plain["weight_ih"],
        weight_hh=plain["weight_hh"],
        biases=(bias_ih is not None, bias_hh is not None),
        lengths=ends,
        states=states,
        relu=nonlinearity == "relu",
        reverse=bool(reverse),
    )


def backward(
    dy: np.ndarray | None,
    dh_n: np.ndarray | None,
    saved: Saved | None,
    needs: Sequence[bool] = (True,) * 6,
) -> tuple[Gradient, Gradient, Gradient, Gradient, Gradient, Gradient]:
    """Return dx, dh0, dweight_ih, dweight_hh, dbias_ih, dbias_hh.

    None stands for what is not needed or was not given; a dy or dh_n that is None counts as
    zeros. Past a sample's end dy is ignored and dx is 0.

    Raises TypeError for another dtype and ValueError for another shape than y's and h_n's, or
    where forward saved nothing.
    """
    if saved is None:
        raise ValueError("rnn: expected what forward saved, got None: it ran with save=False")
    steps, samples, inputs = saved.x.shape
    hidden, dtype = len(saved.weight_ih), saved.x.dtype
    padded = saved.states.shape[2]
    dy = check_gradient("rnn", "dy", dy, (steps, samples, hidden), dtype)
    dh_n = check_gradient("rnn", "dh_n", dh_n, (samples, hidden), dtype)
    dx = _memory.empty(saved.x.shape if needs[0] else (0, 0, 0), dtype)
    dh0 = np.empty((samples, padded), dtype)
    # An empty batch adds nothing to its weights' gradients; any other writes them.
    new = _memory.empty if samples else _memory.zeros
    dweight_ih = new((padded if needs[2] else 0, inputs), dtype)
    dweight_hh = new((padded if needs[3] else 0, padded), dtype)
    dbias = new(padded, np.float64)
    if samples:
        slices, block_steps = _jit.get_num_threads(), steps_of(samples)
        work_dih, work_dhh = wide_scratch(steps, samples, dweight_ih.size, dweight_hh.size)
        cpu.backward(
            dy=widened(dy, padded),
            dh_n=widened(dh_n, padded),
            x=saved.x,
            states=saved.states,
            weight_ih=saved.weight_ih,
            weight_hh=saved.weight_hh,
            lengths=saved.lengths,
            relu=saved.relu,
            reverse=saved.reverse,
            work_ih=_memory.empty(padded_size(inputs, dtype) * padded, dtype),
            work_hh=_memory.empty(padded * padded, dtype),
            work_dgates=_memory.empty((min(block_steps, steps) * samples, padded), dtype),
            **products_scratch(padded, slices, dtype),
            work_dih=work_dih,
            work_dhh=work_dhh,
            out_dx=dx,
            out_dh0=dh0,
            out_dweight_ih=dweight_ih,
            out_dweight_hh=dweight_hh,
            out_dbias=dbias,
        )
    of_ih, of_hh = (needs[4] and saved.biases[0], needs[5] and saved.biases[1])
    dbias = dbias[:hidden].astype(dtype)
    return (
        dx if needs[0] else None,
        narrowed(dh0, hidden) if needs[1] else None,
        dweight_ih[:hidden] if needs[2] else None,
        narrowed(dweight_hh[:hidden], hidden) if needs[3] else None,
        dbias if of_ih else None,
        dbias.copy() if of_hh else None,
    )
