"""Gated recurrent units: one layer over a whole sequence, in one direction.

    r, z = sigmoid of  W_i x + b_i + W_h h + b_h, the rows of r and of z
    n = tanh(W_in x + b_in + r * (W_hn h + b_hn))
    h' = (1 - z) * n + z * h

Cho et al. 2014 with the reset gate after the product, as PyTorch and cuDNN have it, or before it,
as the paper: n = tanh(W_in x + b_in + W_hn (r * h) + b_hn). `forward` returns the outputs and the
last states, `backward` the gradients through time. float32 or float64, one dtype in a call.
"""

from collections.abc import Sequence
from types import ModuleType
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
    wide_scratch,
    widened,
    widened_gates,
    without_padding,
)
from kernels.gru import cpu, reference

IMPLEMENTATIONS: dict[str, ModuleType] = {"reference": reference, "cpu": cpu}

__all__ = ["IMPLEMENTATIONS", "Saved", "backward", "forward"]

Gradient = np.ndarray | None


class Saved(NamedTuple):
    x: np.ndarray
    weight_ih: np.ndarray
    weight_hh: np.ndarray
    biases: tuple[bool, bool]
    lengths: np.ndarray
    states: np.ndarray  # (T + 1, N, padded), in the order of time
    gates: np.ndarray  # (T, N, 4 padded)
    reset_after: bool
    reverse: bool


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
    plain = plain_arrays("gru", given, bias_ih=bias_ih, bias_hh=bias_hh)
    x, h0 = plain["x"], plain["h0"]
    steps, samples, inputs, hidden = check_inputs("gru", plain, 3)
    check_shapes("gru", plain, weight_hh=(3 * hidden, hidden), h0=(samples, hidden))
    ends = check_lengths("gru", lengths, steps, samples)
    dtype = x.dtype
    padded = padded_size(hidden, dtype)
    masked = lengths is not None
    if masked:
        x = without_padding(x, ends)
    states = _memory.empty((steps + 1, samples, padded), dtype)
    gates = _memory.empty((steps if save else 0, samples, 4 * padded), dtype)
    y = _memory.empty((steps, samples, padded) if masked else (0, 0, 0), dtype)
    if samples:
        slices = slices_of(samples)
        ahead = gates if save else _memory.empty((steps, samples, 4 * padded), dtype)
        most = -(-samples // slices)
        cpu.forward(
            x=x,
            h0=widened(h0, padded),
            weight_ih=plain["weight_ih"],
            weight_hh=plain["weight_hh"],
            bias=widened_gates(_biases(plain, hidden, reset_after), 4, padded),
            lengths=ends,
            reset_after=reset_after,
            reverse=bool(reverse),
            work_ih=_memory.empty(inputs * 3 * padded, dtype),
            work_hh=_memory.empty(hidden * 3 * padded, dtype),
            work_ahead=ahead if cpu.is_ahead(samples, slices) else ahead[:0],
            work_sums=_memory.empty(
                (slices, most * 4 * (lanes_of(dtype) if reset_after else padded)), dtype
            ),
            out_states=states,
            out_gates=gates,
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
        gates=gates,
        reset_after=bool(reset_after),
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
        raise ValueError("gru: expected what forward saved, got None: it ran with save=False")
    steps, samples, inputs = saved.x.shape
    hidden, dtype = saved.weight_hh.shape[1], saved.x.dtype
    padded = saved.states.shape[2]
    dy = check_gradient("gru", "dy", dy, (steps, samples, hidden), dtype)
    dh_n = check_gradient("gru", "dh_n", dh_n, (samples, hidden), dtype)
    dx = _memory.empty(saved.x.shape if needs[0] else (0, 0, 0), dtype)
    dh0 = np.empty((samples, padded), dtype)
    # An empty batch adds nothing to its weights' gradients; any other writes them.
    new = _memory.empty if samples else _memory.zeros
    dweight_ih = new((3 * padded if needs[2] else 0, inputs), dtype)
    dweight_hh = new((3 * padded if needs[3] else 0, padded), dtype)
    dbias = new(4 * padded, np.float64)
    if samples:
        threads, block = _jit.get_num_threads(), (min(steps_of(samples), steps), samples)
        work_dih, work_dhh = wide_scratch(steps, samples, dweight_ih.size, dweight_hh.size)
        cpu.backward(
            dy=widened(dy, padded),
            dh_n=widened(dh_n, padded),
            x=saved.x,
            states=saved.states,
            gates=saved.gates,
            weight_ih=saved.weight_ih,
            weight_hh=saved.weight_hh,
            lengths=saved.lengths,
            reset_after=saved.reset_after,
            reverse=saved.reverse,
            work_ih=_memory.empty(padded_size(inputs, dtype) * 3 * padded, dtype),
            work_hh=_memory.empty(padded * 3 * padded, dtype),
            work_dgates=_memory.empty((*block, 4 * padded), dtype),
            work_kept=_memory.empty((0 if saved.reset_after else block[0], samples, padded), dtype),
            **products_scratch(2 * padded, threads, dtype),
            work_dih=work_dih,
            work_dhh=work_dhh,
            out_dx=dx,
            out_dh0=dh0,
            out_dweight_ih=dweight_ih,
            out_dweight_hh=dweight_hh,
            out_dbias=dbias,
        )
    r, z, n, hn = dbias.reshape(4, padded)[:, :hidden].astype(dtype)
    return (
        dx if needs[0] else None,
        narrowed(dh0, hidden) if needs[1] else None,
        narrowed_gates(dweight_ih, 3, hidden) if needs[2] else None,
        narrowed(narrowed_gates(dweight_hh, 3, hidden), hidden) if needs[3] else None,
        np.concatenate([r, z, n]) if needs[4] and saved.biases[0] else None,
        np.concatenate([r, z, hn if saved.reset_after else n])
        if needs[5] and saved.biases[1]
        else None,
    )


def _biases(plain: dict[str, np.ndarray], hidden: int, reset_after: bool) -> np.ndarray:
    """Of r, z, n and W_hn h, which has one of its own where reset after."""
    none = np.zeros(3 * hidden, plain["x"].dtype)
    of_x, of_h = plain.get("bias_ih", none), plain.get("bias_hh", none)
    bias = np.append(of_x, none[:hidden])
    bias[: 2 * hidden] += of_h[: 2 * hidden]
    bias[3 * hidden if reset_after else 2 * hidden :][:hidden] += of_h[2 * hidden :]
    return bias
