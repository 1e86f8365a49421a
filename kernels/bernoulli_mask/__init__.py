"""Multiply by a random mask of zeros and ones: dropout (Srivastava et al. 2014).

    y[i] = x[i] * scale  with probability 1 - p_drop, else 0

The mask is a pure function of (seed, stream, i), i counting in C order; `kernels._philox` says
which random word belongs to i. Element i is dropped where that word, of 32 bits, is below
round(p_drop * 2^32), so p_drop holds to 2^-32. What is dropped is +0 even if it was NaN or
infinite; backward takes the mask from stored bits, which is cheaper than drawing again.
"""

from types import ModuleType
from typing import NamedTuple

import numpy as np

from .. import _memory
from .._check import float_arrays
from . import cpu, reference

IMPLEMENTATIONS: dict[str, ModuleType] = {"reference": reference, "cpu": cpu}

_BLOCK = 128


class Saved(NamedTuple):
    """The mask, bit i % 8 of byte i // 8 for element i, and what it was multiplied by."""

    bits: np.ndarray
    scale: float
    shape: tuple[int, ...]


def forward(
    x: np.ndarray,
    p_drop: float,
    *,
    seed: int,
    stream: int,
    scale: float | None = None,
) -> tuple[np.ndarray, Saved]:
    """Return y of x's shape and dtype, and what backward needs.

    x             any shape, float32 or float64
    p_drop        probability that an element is dropped, 0 to 1; at 0 and 1 nothing is drawn
    seed, stream  integers from 0 to 2^64 - 1; another stream gives an independent mask
    scale         what is kept is multiplied by it; 1 / (1 - p_drop) if None

    Raises TypeError for other dtypes, ValueError for p_drop, seed, stream or scale out of range.

    >>> import numpy as np
    >>> from kernels import bernoulli_mask
    >>> y, saved = bernoulli_mask.forward(np.ones(8, np.float32), 0.5, seed=0, stream=1)
    >>> np.unique(y)
    array([0., 2.], dtype=float32)
    """
    (x,) = float_arrays("bernoulli_mask", x=x)
    if not 0 <= p_drop <= 1:
        raise ValueError(f"bernoulli_mask: expected p_drop from 0 to 1, got {p_drop}")
    key, counter = _word("seed", seed), _word("stream", stream)
    if scale is None:
        scale = 1 / (1 - p_drop) if p_drop < 1 else 1.0
    elif not np.isfinite(scale):
        raise ValueError(f"bernoulli_mask: expected a finite scale, got {scale}")

    y = _memory.empty(x.shape, x.dtype)
    bits = _memory.empty(-(-x.size // _BLOCK) * (_BLOCK // 8), np.uint8)
    saved = Saved(bits, float(scale), x.shape)
    if p_drop in (0, 1):
        bits.fill(0xFF if p_drop == 0 else 0)
        cpu.apply(x=x.reshape(-1), bits=bits, scale=saved.scale, out_y=y.reshape(-1))
        return y, saved
    cpu.forward(
        x=x.reshape(-1),
        seed=key,
        stream=counter,
        threshold=np.uint32(min(round(p_drop * 2**32), 2**32 - 1)),
        scale=saved.scale,
        out_y=y.reshape(-1),
        out_bits=bits,
    )
    return y, saved


def backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx: dy * scale where x was kept, exactly 0 where it was dropped."""
    (dy,) = float_arrays("bernoulli_mask", dy=dy)
    if dy.shape != saved.shape:
        raise ValueError(f"bernoulli_mask: expected dy of shape {saved.shape}, got {dy.shape}")
    dx = _memory.empty(dy.shape, dy.dtype)
    cpu.apply(x=dy.reshape(-1), bits=saved.bits, scale=saved.scale, out_y=dx.reshape(-1))
    return dx


def _word(name: str, value: int) -> np.uint64:
    if not isinstance(value, int | np.integer) or not 0 <= value < 2**64:
        raise ValueError(f"bernoulli_mask: expected {name} from 0 to 2^64 - 1, got {value!r}")
    return np.uint64(value)
