"""Padding: constants around a tensor, or more of the tensor itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from kernels import _memory

from ...autograd.results import record
from ...autograd.tensor import Tensor
from ..check import check_is_tensor, number, whole

__all__ = ["pad"]

MODES = ("constant", "reflect", "replicate", "circular")

# (what is written, what it repeats), along one axis.
Edge = tuple[slice, slice]


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """Add elements around: pad is (before, after) of the last axis, of the one before it, ...

    pad    a negative number cuts off instead
    mode   "constant": `value`, 0 if not given;
           "reflect": d c b | a b c d | c b a, without the edge itself;
           "replicate": a a a | a b c d | d d d;
           "circular": b c d | a b c d | a b c, of what is left where the other end is cut
    input  of any shape for "constant"; (N, C, ...) or (C, ...) with as many axes behind as pad
           speaks of for the others

    The gradient of what was repeated goes to where it came from. Raises ValueError for another
    mode, for a pad that is odd in count or speaks of too many axes, and for more than there is
    to repeat or to cut off.

    >>> import nnet as nn, nnet.functional as F
    >>> F.pad(nn.ones(2), (1, 2))
    tensor([0., 1., 1., 0., 0.])
    >>> F.pad(nn.arange(3.0).reshape(1, 3), (2, 1), mode="reflect")
    tensor([[2., 1., 0., 1., 2., 1.]])
    """
    if mode not in MODES:
        raise ValueError(f"pad: expected mode as one of {', '.join(MODES)}, got {mode!r}")
    check_is_tensor("pad", input)
    given = tuple([each if type(each) is int else whole("pad", "pad", each) for each in pad])
    widths = list(zip(given[::2], given[1::2], strict=False))[::-1]
    if len(given) % 2 or len(widths) > input.ndim:
        raise ValueError(
            f"pad: expected pairs of numbers for at most {input.ndim} axes, got {given}"
        )
    if mode == "constant":
        return _pad_constant(input, widths, 0.0 if value is None else _fill(value))
    if value:
        raise ValueError(f"pad: expected no value with mode {mode!r}, got {value}")
    first = input.ndim - len(widths)
    if first not in (1, 2) or not 1 <= len(widths) <= 3:
        raise ValueError(
            f"pad: expected input of shape (N, C, ...) or (C, ...) with {len(widths)} axes to pad "
            f"for mode {mode!r}, at most 3, got {input.shape}"
        )
    cuts = [(min(before, 0), min(after, 0)) for before, after in widths]
    grown = [(max(before, 0), max(after, 0)) for before, after in widths]
    if cuts == [(0, 0)] * len(cuts):
        return _pad_repeating(input, grown, mode)
    if mode == "circular":
        return _pad_repeating(_pad_constant(input, cuts, 0.0), grown, mode)
    for (before, after), n in zip(widths, input.shape[first:], strict=True):
        if before + n + after < 1:
            raise ValueError(f"pad: expected to leave something of {n}, got {(before, after)}")
    return _pad_constant(_pad_repeating(input, grown, mode), cuts, 0.0)


def _fill(value: Any) -> Any:
    return number("pad", "value", value) if isinstance(value, Tensor) else value


def _pad_constant(input: Tensor, widths: list[tuple[int, int]], value: float) -> Tensor:
    x = input.data
    widths = [(0, 0)] * (x.ndim - len(widths)) + widths
    shape = [before + n + after for (before, after), n in zip(widths, x.shape, strict=True)]
    kept, inside = [], []
    for (before, after), n in zip(widths, x.shape, strict=True):
        if (before < 0 or after < 0) and min(before, 0) + n + min(after, 0) < 0:
            raise ValueError(f"pad: expected to cut off at most all of {x.shape}, got {widths}")
        kept.append(slice(max(-before, 0), n - max(-after, 0)))
        inside.append(slice(max(before, 0), before + n + min(after, 0)))
    from_x, to_y = tuple(kept), tuple(inside)
    y = np.full(shape, value, x.dtype)
    y[to_y] = x[from_x]

    def backward(dy: np.ndarray) -> np.ndarray:
        if all(before >= 0 and after >= 0 for before, after in widths):
            return dy[to_y]
        dx = np.zeros(x.shape, dy.dtype)
        dx[from_x] = dy[to_y]
        return dx

    return record(y, (input,), backward)


def _pad_repeating(input: Tensor, widths: list[tuple[int, int]], mode: str) -> Tensor:
    x, first = input.data, input.ndim - len(widths)
    for (before, after), n in zip(widths, x.shape[first:], strict=True):
        most = {"reflect": n - 1, "circular": n, "replicate": before + after if n else 0}[mode]
        if max(before, after) > most:
            raise ValueError(
                f"pad: expected from 0 to {most} elements to {mode} around {n}, "
                f"got {(before, after)}"
            )
    bounds = [(b, b + n) for (b, _), n in zip(widths, x.shape[first:], strict=True)]
    inside: tuple[Any, ...] = (..., *(slice(*bound) for bound in bounds))
    sizes = [stop + after for (_, stop), (_, after) in zip(bounds, widths, strict=True)]
    shape = [*x.shape[:first], *sizes]
    edges = [
        (_along(axis, written), _along(axis, source))
        for axis, (bound, size) in enumerate(zip(bounds, sizes, strict=True), first)
        for written, source in _edges(mode, *bound, size)
    ]
    y = _memory.empty(shape, x.dtype)
    y[inside] = x
    for written, source in edges:
        y[written] = y[source]

    def backward(dy: np.ndarray) -> np.ndarray:
        dy = dy.copy()
        for written, source in reversed(edges):
            gradient = dy[written]
            if mode == "replicate":
                gradient = gradient.sum(len(written) - 1, keepdims=True)
            dy[source] += gradient
        return dy[inside]

    return record(y, (input,), backward)


def _edges(mode: str, start: int, stop: int, size: int) -> Iterator[Edge]:
    """The edges of an axis whose inside runs from start to stop."""
    after = size - stop
    if mode == "reflect":
        first = slice(2 * start, start, -1)
        last = slice(stop - 2, stop - 2 - after if stop - 2 - after >= 0 else None, -1)
    elif mode == "circular":
        first, last = slice(stop - start, stop), slice(start, start + after)
    else:
        first, last = slice(start, start + 1), slice(stop - 1, stop)
    if start:
        yield slice(0, start), first
    if after:
        yield slice(stop, size), last


def _along(axis: int, part: slice) -> tuple[Any, ...]:
    return (slice(None),) * axis + (part,)
