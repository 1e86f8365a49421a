"""Long short-term memory over a sequence: one layer, one direction, all time steps.

    i, f, g, o = sigmoid, sigmoid, tanh, sigmoid of  W_ih x_t + W_hh h_{t-1} + b_ih + b_hh
    c_t = f c_{t-1} + i g
    h_t = o tanh(c_t)

Hochreiter & Schmidhuber 1997, Gers et al. 2000; on request with peepholes (Gers et al. 2002) or a
projection (Sak et al. 2014). Time comes first:

x                   (T, N, I), T >= 1
h0, h_n             (N, P), where P = H without a projection
c0, c_n             (N, H)
y                   (T, N, P), h of every step
weight_ih, _hh      (4H, I), (4H, P): rows of i, f, g, o
bias_ih, bias_hh    (4H,), or None for zeros
weight_hr           (P, H), or None: h_t = W_hr (o tanh c_t)
peephole            (3, H), or None: p_i c_{t-1}, p_f c_{t-1} and p_o c_t join the sums of i, f, o
lengths             (N,) integers from 1 to T, or None for T

float32 or float64, one dtype in a call.
"""

from collections.abc import Sequence
from types import ModuleType
from typing import NamedTuple

import numpy as np

from .. import _memory
from .._check import float_arrays
from . import reference

__all__ = ["IMPLEMENTATIONS", "Saved", "backward", "forward"]

IMPLEMENTATIONS: dict[str, ModuleType] = {"reference": reference}


class Saved(NamedTuple):
    """Inputs, and of every step y, gates (T, N, 4, H) and cells (T, N, H)."""

    x: np.ndarray
    h0: np.ndarray
    c0: np.ndarray
    weight_ih: np.ndarray
    weight_hh: np.ndarray
    weight_hr: np.ndarray
    peephole: np.ndarray
    lengths: np.ndarray
    reverse: bool
    biases: tuple[bool, bool]
    y: np.ndarray
    gates: np.ndarray
    cells: np.ndarray


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
    """Return (y, h_n, c_n) and, where `save`, what backward needs.

    Behind a sample's end y is 0, x is not looked at and the state stands still: h_n and c_n are
    those at its end. `reverse` runs from each sample's own last step to its first.

    Raises TypeError for other dtypes, ValueError for other shapes and for lengths out of range.

    >>> import numpy as np
    >>> from kernels import lstm
    >>> x, state, weight = np.ones((3, 1, 1)), np.zeros((1, 1)), np.full((4, 1), 20.0)
    >>> (y, h_n, c_n), saved = lstm.forward(x, state, state, weight, weight)
    >>> c_n.round(3), np.array_equal(y[-1], h_n)
    (array([[3.]]), True)
    """
    given = {"x": x, "h0": h0, "c0": c0, "weight_ih": weight_ih, "weight_hh": weight_hh}
    optional = {
        "bias_ih": bias_ih,
        "bias_hh": bias_hh,
        "weight_hr": weight_hr,
        "peephole": peephole,
    }
    given |= {name: array for name, array in optional.items() if array is not None}
    plain = dict(zip(given, float_arrays("lstm", **given), strict=True))
    x, h0, c0, weight_ih, weight_hh = (plain[name] for name in list(plain)[:5])
    hidden = _check_shapes(plain)
    steps, samples, _ = x.shape
    lengths = _checked_lengths(lengths, steps, samples)
    none = np.zeros((0, hidden), x.dtype)
    weight_hr, peephole = plain.get("weight_hr", none), plain.get("peephole", none)

    y = _memory.empty((steps, *h0.shape), x.dtype)
    h_n, c_n = np.empty(h0.shape, x.dtype), np.empty(c0.shape, x.dtype)
    gates = _memory.empty((steps, samples, 4, hidden), x.dtype)
    cells = _memory.empty((steps, samples, hidden), x.dtype)
    if samples:
        reference.forward(
            x=x,
            h0=h0,
            c0=c0,
            weight_ih=weight_ih,
            weight_hh=weight_hh,
            bias=_sum_of_biases(plain, hidden),
            weight_hr=weight_hr,
            peephole=peephole,
            lengths=lengths,
            reverse=bool(reverse),
            out_y=y,
            out_h_n=h_n,
            out_c_n=c_n,
            out_gates=gates,
            out_cells=cells,
        )
    if not save:
        return (y, h_n, c_n), None
    biases = bias_ih is not None, bias_hh is not None
    weights = weight_ih, weight_hh, weight_hr, peephole
    saved = Saved(x, h0, c0, *weights, lengths, bool(reverse), biases, y, gates, cells)
    return (y, h_n, c_n), saved


def backward(
    dy: np.ndarray | None,
    dh_n: np.ndarray | None,
    dc_n: np.ndarray | None,
    saved: Saved,
    needs: Sequence[bool] = (True,) * 9,
) -> tuple[np.ndarray | None, ...]:
    """Return dx, dh0, dc0, dweight_ih, dweight_hh, dbias_ih, dbias_hh, dweight_hr, dpeephole.

    dy, dh_n and dc_n may be None, as if they were 0; dy behind a sample's end is not looked at, and
    dx there is 0. None comes back for what is not needed or was not given.

    Raises TypeError for another dtype and ValueError for another shape than the output's.
    """
    x = saved.x
    shapes = {"dy": saved.y.shape, "dh_n": saved.h0.shape, "dc_n": saved.c0.shape}
    given = {
        name: array
        for name, array in (("dy", dy), ("dh_n", dh_n), ("dc_n", dc_n))
        if array is not None
    }
    plain = dict(zip(("x", *given), float_arrays("lstm", x=x, **given), strict=True))
    for name, shape in shapes.items():
        if name in plain and plain[name].shape != shape:
            raise ValueError(f"lstm: expected {name} of shape {shape}, got {plain[name].shape}")
    if len(needs) != 9:
        raise ValueError(f"lstm: expected needs of 9 results, got {len(needs)}")
    incoming = {
        name: plain[name] if name in plain else _memory.zeros(shape, x.dtype)
        for name, shape in shapes.items()
    }
    inputs = x, saved.h0, saved.c0, saved.weight_ih, saved.weight_hh
    dx, dh0, dc0, dweight_ih, dweight_hh = (_memory.zeros(a.shape, x.dtype) for a in inputs)
    dbias = np.zeros(len(saved.weight_ih), x.dtype)
    dweight_hr = np.zeros(saved.weight_hr.shape, x.dtype)
    dpeephole = np.zeros(saved.peephole.shape, x.dtype)
    if x.size:
        reference.backward(
            **incoming,
            x=x,
            h0=saved.h0,
            c0=saved.c0,
            weight_ih=saved.weight_ih,
            weight_hh=saved.weight_hh,
            weight_hr=saved.weight_hr,
            peephole=saved.peephole,
            lengths=saved.lengths,
            reverse=saved.reverse,
            y=saved.y,
            gates=saved.gates,
            cells=saved.cells,
            out_dx=dx,
            out_dh0=dh0,
            out_dc0=dc0,
            out_dweight_ih=dweight_ih,
            out_dweight_hh=dweight_hh,
            out_dbias=dbias,
            out_dweight_hr=dweight_hr,
            out_dpeephole=dpeephole,
        )
    results = {
        "dx": dx,
        "dh0": dh0,
        "dc0": dc0,
        "dweight_ih": dweight_ih,
        "dweight_hh": dweight_hh,
        "dbias_ih": dbias if saved.biases[0] else None,
        # A copy: each bias is changed on its own.
        "dbias_hh": dbias.copy() if saved.biases[1] else None,
        "dweight_hr": dweight_hr if dweight_hr.size else None,
        "dpeephole": dpeephole if dpeephole.size else None,
    }
    return tuple(
        array if needed else None for array, needed in zip(results.values(), needs, strict=True)
    )


def _check_shapes(plain: dict[str, np.ndarray]) -> int:
    """Raise ValueError unless all shapes go together; return H."""
    x, weight_hh = plain["x"], plain["weight_hh"]
    if x.ndim != 3 or not x.shape[0] or not x.shape[2]:
        raise ValueError(f"lstm: expected x of shape (T, N, I) with T, I >= 1, got {x.shape}")
    if weight_hh.ndim != 2 or not weight_hh.size or weight_hh.shape[0] % 4:
        name = "P" if "weight_hr" in plain else "H"
        raise ValueError(f"lstm: expected weight_hh of shape (4H, {name}), got {weight_hh.shape}")
    samples, hidden = x.shape[1], len(weight_hh) // 4
    projected = weight_hh.shape[1] if "weight_hr" in plain else hidden
    expected = {
        "h0": (samples, projected),
        "c0": (samples, hidden),
        "weight_ih": (4 * hidden, x.shape[2]),
        "weight_hh": (4 * hidden, projected),
        "bias_ih": (4 * hidden,),
        "bias_hh": (4 * hidden,),
        "weight_hr": (projected, hidden),
        "peephole": (3, hidden),
    }
    for name, shape in expected.items():
        if name in plain and plain[name].shape != shape:
            raise ValueError(f"lstm: expected {name} of shape {shape}, got {plain[name].shape}")
    return hidden


def _checked_lengths(lengths: np.ndarray | None, steps: int, samples: int) -> np.ndarray:
    """As int64; T for all where None."""
    if lengths is None:
        return np.full(samples, steps, np.int64)
    if not isinstance(lengths, np.ndarray) or lengths.dtype.kind not in "iu":
        kind = getattr(lengths, "dtype", type(lengths).__name__)
        raise TypeError(f"lstm: expected lengths as an array of integers, got {kind}")
    if lengths.shape != (samples,):
        raise ValueError(f"lstm: expected lengths of shape ({samples},), got {lengths.shape}")
    wrong = np.flatnonzero((lengths < 1) | (lengths > steps))
    if wrong.size:
        first = wrong[0]
        raise ValueError(
            f"lstm: expected lengths from 1 to {steps}, got {lengths[first]} for sample {first}"
        )
    return lengths.astype(np.int64)


def _sum_of_biases(plain: dict[str, np.ndarray], hidden: int) -> np.ndarray:
    total = np.zeros(4 * hidden, plain["x"].dtype)
    for name in ("bias_ih", "bias_hh"):
        if name in plain:
            total += plain[name]
    return total
