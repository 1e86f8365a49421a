"""Linear map with another random mask on its weights for each example (Wan et al. 2013).

    y[n] = (M_g * W) x[n] + b,  M_g[o, i] = 1 with probability 1 - p_drop, else 0,  g = n // share

`share` successive examples have one mask. No mask is stored: 32 rows of it at a time are drawn
into a few kilobytes, used and forgotten, and backward draws them again. M_g[o, i] is a function of
(seed, stream, g, o, i): the coin of `kernels._philox` at

    (g * rows + o) * pitch + i,  rows = out rounded up to 32, pitch = in rounded up to 128

One mask for the whole batch is cheaper as `bernoulli_mask` on W with a matrix product behind it.
"""

from typing import NamedTuple

import numpy as np

from kernels import _memory
from kernels._check import check_like, check_shape, float_arrays, float_arrays_or_none, word
from kernels._device import Implementations, device_of
from kernels._philox import coin_threshold
from kernels._reduce import column_sums
from kernels.drop_connect import cpu, reference

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)


class Saved(NamedTuple):
    x: np.ndarray
    weight: np.ndarray
    seed: np.uint64
    stream: np.uint64
    threshold: np.uint32
    share: int
    has_bias: bool


def forward(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    p_drop: float,
    *,
    seed: int,
    stream: int,
    share: int = 1,
) -> tuple[np.ndarray, Saved]:
    """Return y (N, out), and what backward needs.

    x             (N, in), float32 or float64
    weight, bias  (out, in), (out,) or None
    p_drop        probability that a weight is dropped, 0 to below 1
    seed, stream  integers from 0 to 2^64 - 1
    share         how many successive examples have one mask

    Raises TypeError for other or mixed dtypes, ValueError for shapes that do not fit and numbers
    out of range.

    >>> import numpy as np
    >>> from kernels import drop_connect
    >>> x, weight = np.ones((2, 1000)), np.ones((3, 1000))
    >>> y, saved = drop_connect.forward(x, weight, None, 0.5, seed=0, stream=0)
    >>> bool((abs(y - 500) < 100).all())
    True
    """
    op = "drop_connect"
    x, weight, bias = float_arrays_or_none(op, {"x": x, "weight": weight}, bias=bias)
    if weight.ndim != 2:
        raise ValueError(f"{op}: expected weight of shape (out, in), got {weight.shape}")
    units, inputs = weight.shape
    if x.ndim != 2 or x.shape[1] != inputs:
        raise ValueError(f"{op}: expected x of shape (N, {inputs}), got {x.shape}")
    if bias is not None:
        check_shape(op, "bias", bias, (units,))
    if not 0 <= p_drop < 1:
        raise ValueError(f"{op}: expected p_drop from 0 to below 1, got {p_drop}")
    if isinstance(share, bool) or not isinstance(share, int | np.integer) or share < 1:
        raise ValueError(f"{op}: expected share of at least 1, got {share!r}")
    saved = Saved(
        x,
        weight,
        word(op, "seed", seed),
        word(op, "stream", stream),
        coin_threshold(p_drop),
        int(share),
        bias is not None,
    )
    y = _memory.empty((x.shape[0], units), x.dtype)
    if y.size:
        implementation = IMPLEMENTATIONS[device_of(x)]
        implementation.forward(
            x=x,
            weight=weight,
            bias=np.empty(0, x.dtype) if bias is None else bias,
            seed=saved.seed,
            stream=saved.stream,
            threshold=saved.threshold,
            share=saved.share,
            **_memory.scratch(implementation.forward_scratch(weight)),
            out_y=y,
        )
    return y, saved


def backward(
    dy: np.ndarray, saved: Saved, needs: tuple[bool, bool, bool] = (True, True, True)
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """The gradients of x, weight and bias; None where `needs` is False or there was no bias.

    dx[n] = (M_g * W)' dy[n], dW = sum of M_g * (dy[n] x[n]'); one pass makes both.
    """
    x, weight = saved.x, saved.weight
    (dy,) = float_arrays("drop_connect.backward", dy=dy)
    (n, inputs), units = x.shape, weight.shape[0]
    check_like("drop_connect.backward", "dy", dy, (n, units), x.dtype)
    dbias = None
    dx = _memory.empty(x.shape if needs[0] else (0, 0), x.dtype)
    dweight = _memory.empty(weight.shape if needs[1] else (0, 0), x.dtype)
    if needs[0] or needs[1]:
        if dy.size and inputs:
            implementation = IMPLEMENTATIONS[device_of(x)]
            implementation.backward(
                dy=dy,
                x=x,
                weight=weight,
                seed=saved.seed,
                stream=saved.stream,
                threshold=saved.threshold,
                share=saved.share,
                **_memory.scratch(implementation.backward_scratch(x, weight, dx)),
                out_dx=dx,
                out_dweight=dweight,
            )
        else:
            dx.fill(0)
            dweight.fill(0)
    if needs[2] and saved.has_bias:
        dbias = np.empty(units, dy.dtype)
        column_sums(x=dy, out_sums=dbias)
    return dx if needs[0] else None, dweight if needs[1] else None, dbias
