"""Scaled dot-product attention: each query's mean of the values, weighted by how keys match it.

    y = softmax(scale query key' + mask) value

The L x S weights never stand in memory. A block of rows computes its scores in the cache, turns
them into weights and uses them; of each row only lse = log(sum(e^score)) is kept. Backward computes
the scores again, and e^(score - lse) are the weights: cheaper than storing them, since arithmetic
is faster than memory.

Vaswani et al. 2017; in blocks, with the softmax going on from block to block: Dao et al. 2022. See
README.md.
"""

from typing import NamedTuple

import numpy as np

from kernels import _memory
from kernels._device import Implementations, device_of
from kernels.attention import cpu, naive, reference
from kernels.attention.checks import (
    additive_mask,
    check_shapes,
    float_rows,
    four_axes,
    lengths_of,
    lies_well,
)

IMPLEMENTATIONS = Implementations(reference=reference, reference_naive=naive, cpu=cpu)

__all__ = ["IMPLEMENTATIONS", "Saved", "backward", "forward"]


class Saved(NamedTuple):
    """Arrays of four axes, (N, H, L, E), and the shapes that came."""

    query: np.ndarray
    key: np.ndarray
    value: np.ndarray
    mask: np.ndarray
    key_lengths: np.ndarray
    causal: bool
    scale: float
    y: np.ndarray
    lse: np.ndarray
    shapes: tuple[tuple[int, ...], ...]


def forward(
    query: np.ndarray,
    key: np.ndarray,
    value: np.ndarray,
    *,
    mask: np.ndarray | None = None,
    key_lengths: np.ndarray | None = None,
    causal: bool = False,
    scale: float | None = None,
    save: bool = True,
    out: np.ndarray | None = None,
) -> tuple[np.ndarray, Saved | None]:
    """y = softmax(scale query key' + mask) value, (..., L, Ev); saved is None unless `save`.

    query, key, value  (..., L, E), (..., S, E), (..., S, Ev), float32 | float64; the first leading
                       axis is the batch, any others are heads. Rows may lie apart: no copy is made
                       of views whose last axis is contiguous
    mask               broadcast to (..., L, S): True takes part, or numbers added to the scores
    key_lengths        (N,) integers: keys of a sample from there on take no part
    causal             query i sees keys 0 to i
    scale              1 / sqrt(E) if None
    out                where y is written, any array of its shape whose last axis is contiguous

    A query that sees no key gives zeros and passes on no gradient. What a sample gives does not
    depend on its padding, to the last bit.

    Raises TypeError for other or mixed dtypes, ValueError for shapes and lengths that do not fit.

    >>> import numpy as np
    >>> from kernels import attention
    >>> same = np.zeros((1, 2, 4))
    >>> attention.forward(same, same, np.array([[[1.0], [3.0]]]))[0].ravel()
    array([2., 2.])
    """
    op = "attention"
    q, k, v = float_rows(op, query=query, key=key, value=value)
    check_shapes(op, query, key, value)
    *leading, rows, depth = query.shape
    keys, width = value.shape[-2:]
    added = additive_mask(op, mask, (*leading, rows, keys), q.dtype)
    lengths = lengths_of(op, key_lengths, len(q), keys)
    scale = depth**-0.5 if scale is None else float(scale)
    y = _output(op, "out", out, (*leading, rows, width), q.dtype)
    lse = _memory.empty(q.shape[:3], q.dtype)
    if y.size:
        implementation = IMPLEMENTATIONS[device_of(q)]
        implementation.forward(
            query=q,
            key=k,
            value=v,
            mask=added,
            key_lengths=lengths,
            causal=bool(causal),
            scale=scale,
            **_memory.scratch(implementation.forward_scratch(q, v)),
            out_y=four_axes(y),
            out_lse=lse,
        )
    if not save:
        return y, None
    shapes = query.shape, key.shape, value.shape
    return y, Saved(q, k, v, added, lengths, bool(causal), scale, four_axes(y), lse, shapes)


def backward(
    dy: np.ndarray, saved: Saved, out: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """dq, dk, dv, in the arrays `out` if these are given.

    With weights p and ds = p (dy value' - dy y'): dv = p' dy, dq = scale ds key, dk = scale ds' q.
    """
    op = "attention.backward"
    dy4, query = float_rows(op, dy=dy, query=saved.query)
    shape = (*saved.shapes[0][:-1], saved.shapes[2][-1])
    if dy.shape != shape:
        raise ValueError(f"{op}: expected dy of shape {shape}, got {dy.shape}")
    dtype = query.dtype
    dq, dk, dv = (
        _output(op, name, given, its, dtype)
        for name, given, its in zip(
            ("dq", "dk", "dv"),
            (None, None, None) if out is None else out,
            saved.shapes,
            strict=True,
        )
    )
    if not dy.size or not dk.size:
        for gradient in (dq, dk, dv):
            gradient.fill(0)
        return dq, dk, dv
    implementation = IMPLEMENTATIONS[device_of(query)]
    implementation.backward(
        dy=dy4,
        query=query,
        key=saved.key,
        value=saved.value,
        mask=saved.mask,
        key_lengths=saved.key_lengths,
        causal=saved.causal,
        scale=saved.scale,
        y=saved.y,
        lse=saved.lse,
        **_memory.scratch(implementation.backward_scratch(query, saved.value)),
        out_dq=four_axes(dq),
        out_dk=four_axes(dk),
        out_dv=four_axes(dv),
    )
    return dq, dk, dv


def _output(
    op: str, name: str, given: np.ndarray | None, shape: tuple[int, ...], dtype: np.dtype
) -> np.ndarray:
    """What is given if it can be written in place, else a new array."""
    if given is None:
        return _memory.empty(shape, dtype)
    if given.shape != shape or given.dtype != dtype:
        raise ValueError(
            f"{op}: expected {name} of shape {shape} and {dtype}, "
            f"got {given.shape} and {given.dtype}"
        )
    if given.size and not (lies_well(given) and np.may_share_memory(four_axes(given), given)):
        raise ValueError(f"{op}: expected rows of {name} to be contiguous, aligned and writeable")
    return given
