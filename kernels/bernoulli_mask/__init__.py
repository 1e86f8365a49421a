"""Multiply by a random mask of zeros and ones: dropout (Srivastava et al. 2014).

    y[i] = x[i] * scale + shift  with probability 1 - p_drop, else fill

The mask is a pure function of (seed, stream, i), i counting in C order; `kernels._philox` says
which random bits belong to i. Element i is dropped where its random number of 32 bits is below
round(p_drop * 2^32), so p_drop holds to 2^-32. What is dropped is `fill` even if it was NaN or
infinite; backward takes the mask from stored bits, which is cheaper than drawing again.
`README.md` has the derivations.
"""

import math
from typing import NamedTuple

import numpy as np

from kernels import _memory
from kernels._check import check_shape, float_arrays, word
from kernels._device import Implementations, device_of
from kernels._philox import BLOCK, BLOCK_BYTES, coin_threshold
from kernels.bernoulli_mask import cpu, reference

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)


class Saved(NamedTuple):
    """The mask, bit i % 8 of byte i // 8 for plane i, and what it was multiplied by."""

    bits: np.ndarray
    scale: float
    shape: tuple[int, ...]
    plane: int


def forward(
    x: np.ndarray,
    p_drop: float,
    *,
    seed: int,
    stream: int,
    scale: float | None = None,
    shift: float = -0.0,
    fill: float = 0.0,
    plane: int = 1,
    out: np.ndarray | None = None,
) -> tuple[np.ndarray, Saved]:
    """Return y of x's shape and dtype, and what backward needs.

    x             any shape, float32 or float64
    p_drop        probability that an element is dropped, 0 to 1; at 0 and 1 nothing is drawn
    seed, stream  integers from 0 to 2^64 - 1; another stream gives an independent mask
    scale         what is kept is multiplied by it; 1 / (1 - p_drop) if None
    shift         is added to what is kept; -0.0 leaves every number as it is, -0.0 too
    fill          takes the place of what is dropped
    plane         how many successive elements are kept or dropped together; divides x's size
    out           C-contiguous, of x's shape and dtype, takes y; it may be x

    Raises TypeError for other dtypes, ValueError for p_drop, seed, stream, plane or a number out
    of range.

    >>> import numpy as np
    >>> from kernels import bernoulli_mask
    >>> y, saved = bernoulli_mask.forward(np.ones(8, np.float32), 0.5, seed=0, stream=1)
    >>> np.unique(y)
    array([0., 2.], dtype=float32)
    """
    (x,) = float_arrays("bernoulli_mask", x=x)
    if not 0 <= p_drop <= 1:
        raise ValueError(f"bernoulli_mask: expected p_drop from 0 to 1, got {p_drop}")
    key, counter = word("bernoulli_mask", "seed", seed), word("bernoulli_mask", "stream", stream)
    if scale is None:
        scale = 1 / (1 - p_drop) if p_drop < 1 else 1.0
    scale, shift, fill = float(scale), float(shift), float(fill)
    if not math.isfinite(scale + shift + fill):
        raise ValueError(
            f"bernoulli_mask: expected finite scale, shift and fill, got {scale}, {shift}, {fill}"
        )
    if plane < 1 or x.size % plane:
        raise ValueError(
            f"bernoulli_mask: expected a plane that divides {x.size} elements, got {plane}"
        )
    y = _memory.empty(x.shape, x.dtype) if out is None else out
    bits = _memory.empty(-(-(x.size // plane) // BLOCK) * BLOCK_BYTES, np.uint8)
    saved = Saved(bits, scale, x.shape, plane)
    threshold = coin_threshold(p_drop)
    if 0 < p_drop < 1 and plane == 1:
        IMPLEMENTATIONS[device_of(x)].forward(
            x=x.reshape(-1),
            seed=key,
            stream=counter,
            threshold=threshold,
            scale=scale,
            shift=shift,
            fill=fill,
            out_y=y.reshape(-1),
            out_bits=bits,
        )
        return y, saved
    if p_drop in (0, 1):
        bits.fill(0xFF if p_drop == 0 else 0)
    else:
        IMPLEMENTATIONS[device_of(x)].draw(
            seed=key, stream=counter, threshold=threshold, out_bits=bits
        )
    _apply(x, saved, scale, shift, fill, y)
    return y, saved


def backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx: dy * scale where x was kept, exactly 0 where it was dropped."""
    (dy,) = float_arrays("bernoulli_mask", dy=dy)
    check_shape("bernoulli_mask", "dy", dy, saved.shape)
    dx = _memory.empty(dy.shape, dy.dtype)
    _apply(dy, saved, saved.scale, -0.0, 0.0, dx)
    return dx


def _apply(
    x: np.ndarray, saved: Saved, scale: float, shift: float, fill: float, out_y: np.ndarray
) -> None:
    x, out_y, bits = x.reshape(-1), out_y.reshape(-1), saved.bits
    numbers = {"scale": scale, "shift": shift, "fill": fill}
    if saved.plane == 1:
        IMPLEMENTATIONS[device_of(x)].apply(x=x, bits=bits, **numbers, out_y=out_y)
    else:
        IMPLEMENTATIONS[device_of(x)].apply_planes(
            x=x, bits=bits, plane=saved.plane, **numbers, out_y=out_y
        )
