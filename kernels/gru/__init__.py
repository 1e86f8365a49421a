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

from .. import _memory
from .._check import float_arrays
from . import reference

IMPLEMENTATIONS: dict[str, ModuleType] = {"reference": reference}

__all__ = ["IMPLEMENTATIONS", "Saved", "backward", "forward"]

GATES = 3

Gradient = np.ndarray | None


class Saved(NamedTuple):
    """What the gradient needs; states are (T + 1, N, H), gates (T, N, 4 H) as in `reference`."""

    x: np.ndarray
    weight_ih: np.ndarray
    weight_hh: np.ndarray
    has_bias_ih: bool
    has_bias_hh: bool
    lengths: np.ndarray
    states: np.ndarray
    gates: np.ndarray
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

    x          (T, N, I), T steps of N samples
    h0         (N, H)
    weight_ih  (3 H, I): rows for r, z, n
    weight_hh  (3 H, H)
    bias_ih    (3 H,), or None for zeros; bias_hh the same
    lengths    (N,) int64, each from 1 to T, or None for T: past a sample's end y is 0 and its
               state stays
    reverse    run each sample from its last step to its first
    save       keep what `backward` needs; else the second result is None

    Raises TypeError for other dtypes, ValueError for other shapes and for lengths out of range.

    >>> import numpy as np
    >>> from kernels import gru
    >>> x, h0 = np.zeros((2, 1, 1)), np.array([[8.0]])
    >>> (y, h_n), _ = gru.forward(x, h0, np.zeros((3, 1)), np.zeros((3, 1)))
    >>> y.ravel(), h_n
    (array([4., 2.]), array([[2.]]))
    """
    given = {"x": x, "h0": h0, "weight_ih": weight_ih, "weight_hh": weight_hh}
    biases = {"bias_ih": bias_ih, "bias_hh": bias_hh}
    given |= {name: bias for name, bias in biases.items() if bias is not None}
    plain = dict(zip(given, float_arrays("gru", **given), strict=True))
    x, h0 = plain["x"], plain["h0"]
    if x.ndim != 3 or not x.shape[0] or not x.shape[2]:
        raise ValueError(
            f"gru: expected x of shape (T, N, I), one step and one input or more, got {x.shape}"
        )
    steps, samples, inputs = x.shape
    if h0.ndim != 2 or h0.shape[0] != samples or not h0.shape[1]:
        raise ValueError(f"gru: expected h0 of shape ({samples}, H), got {h0.shape}")
    hidden = h0.shape[1]
    rows = GATES * hidden
    shapes = {
        "weight_ih": (rows, inputs),
        "weight_hh": (rows, hidden),
        "bias_ih": (rows,),
        "bias_hh": (rows,),
    }
    for name, shape in shapes.items():
        if name in plain and plain[name].shape != shape:
            raise ValueError(f"gru: expected {name} of shape {shape}, got {plain[name].shape}")
    ends = _ends(lengths, steps, samples)
    none = np.zeros(rows, x.dtype)
    states = _memory.empty((steps + 1, samples, hidden), x.dtype)
    gates = _memory.empty((steps, samples, (GATES + 1) * hidden), x.dtype)
    if samples:
        reference.forward(
            x=x,
            h0=h0,
            weight_ih=plain["weight_ih"],
            weight_hh=plain["weight_hh"],
            bias_ih=plain.get("bias_ih", none),
            bias_hh=plain.get("bias_hh", none),
            lengths=ends,
            reset_after=reset_after,
            reverse=reverse,
            out_states=states,
            out_gates=gates,
        )
    y = states[:-1] if reverse else states[1:]
    if lengths is not None:
        y = np.where(np.arange(steps)[:, None, None] < ends[:, None], y, x.dtype.type(0))
    h_n = states[0 if reverse else -1].copy()
    if not save:
        return (y, h_n), None
    saved = Saved(
        x=x,
        weight_ih=plain["weight_ih"],
        weight_hh=plain["weight_hh"],
        has_bias_ih=bias_ih is not None,
        has_bias_hh=bias_hh is not None,
        lengths=ends,
        states=states,
        gates=gates,
        reset_after=reset_after,
        reverse=reverse,
    )
    return (y, h_n), saved


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
    steps, samples, _ = saved.x.shape
    hidden = saved.states.shape[2]
    dtype = saved.x.dtype
    dy = _gradient("dy", dy, (steps, samples, hidden), dtype)
    dh_n = _gradient("dh_n", dh_n, (samples, hidden), dtype)
    dx = _memory.empty(saved.x.shape, dtype)
    dh0 = np.empty((samples, hidden), dtype)
    dweight_ih = np.zeros(saved.weight_ih.shape, dtype)
    dweight_hh = np.zeros(saved.weight_hh.shape, dtype)
    dbias_ih, dbias_hh = np.zeros(GATES * hidden, dtype), np.zeros(GATES * hidden, dtype)
    if samples:
        reference.backward(
            dy=dy,
            dh_n=dh_n,
            x=saved.x,
            weight_ih=saved.weight_ih,
            weight_hh=saved.weight_hh,
            lengths=saved.lengths,
            states=saved.states,
            gates=saved.gates,
            reset_after=saved.reset_after,
            reverse=saved.reverse,
            out_dx=dx,
            out_dh0=dh0,
            out_dweight_ih=dweight_ih,
            out_dweight_hh=dweight_hh,
            out_dbias_ih=dbias_ih,
            out_dbias_hh=dbias_hh,
        )
    return (
        dx if needs[0] else None,
        dh0 if needs[1] else None,
        dweight_ih if needs[2] else None,
        dweight_hh if needs[3] else None,
        dbias_ih if needs[4] and saved.has_bias_ih else None,
        dbias_hh if needs[5] and saved.has_bias_hh else None,
    )


def _ends(lengths: np.ndarray | None, steps: int, samples: int) -> np.ndarray:
    """The lengths, or T for each sample, after checking them."""
    if lengths is None:
        return np.full(samples, steps, np.int64)
    if not isinstance(lengths, np.ndarray) or lengths.dtype != np.int64:
        kind = lengths.dtype if isinstance(lengths, np.ndarray) else type(lengths).__name__
        raise TypeError(f"gru: expected lengths to be an array of int64, got {kind}")
    if lengths.shape != (samples,):
        raise ValueError(f"gru: expected lengths of shape ({samples},), got {lengths.shape}")
    wrong = (lengths < 1) | (lengths > steps)
    if wrong.any():
        at = int(wrong.argmax())
        raise ValueError(
            f"gru: expected lengths from 1 to {steps}, got {lengths[at]} of sample {at}"
        )
    # A copy: the caller may change theirs before the gradient is asked for.
    return lengths.copy()


def _gradient(
    name: str, gradient: np.ndarray | None, shape: tuple[int, ...], dtype: np.dtype
) -> np.ndarray:
    if gradient is None:
        return _memory.zeros(shape, dtype)
    (gradient,) = float_arrays("gru", **{name: gradient})
    if gradient.dtype != dtype:
        raise TypeError(f"gru: expected {name} of {dtype} like x, got {gradient.dtype}")
    if gradient.shape != shape:
        raise ValueError(f"gru: expected {name} of shape {shape}, got {gradient.shape}")
    return gradient
