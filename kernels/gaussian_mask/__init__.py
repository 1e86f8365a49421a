"""Multiply by random numbers around 1: Gaussian dropout (Srivastava et al. 2014, section 10).

    y[i] = x[i] * n[i],  n[i] ~ N(1, std^2)

n is a function of (seed, stream, i), i counting in C order, with the resolution of float32 in
float64 too, and |n - 1| < 6.7 std. It is stored for backward: to draw it again takes longer than
to read it.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kernels import _memory
from kernels._check import check_shape, float_arrays, word
from kernels._device import Implementations, device_of
from kernels._philox import WORDS
from kernels.gaussian_mask import cpu, reference

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)


class Saved(NamedTuple):
    """What each element was multiplied by, and x's shape."""

    noise: np.ndarray
    shape: tuple[int, ...]


def forward(x: np.ndarray, std: float, *, seed: int, stream: int) -> tuple[np.ndarray, Saved]:
    """Return y of x's shape and dtype, and what backward needs.

    x             any shape, float32 or float64
    std           of the noise, finite, 0 or more
    seed, stream  integers from 0 to 2^64 - 1; another stream gives independent noise

    Raises TypeError for other dtypes, ValueError for std, seed or stream out of range.

    >>> import numpy as np
    >>> from kernels import gaussian_mask
    >>> gaussian_mask.forward(np.ones(100_000), 0.5, seed=0, stream=0)[0].std().round(2)
    np.float64(0.5)
    """
    (x,) = float_arrays("gaussian_mask", x=x)
    noise = draw(x.size, x.dtype, mean=1.0, std=std, seed=seed, stream=stream)
    y = _memory.empty(x.shape, x.dtype)
    IMPLEMENTATIONS[device_of(x)].apply(x=x.reshape(-1), noise=noise, out_y=y.reshape(-1))
    return y, Saved(noise, x.shape)


def backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx: dy times the noise of forward."""
    dy, noise = float_arrays("gaussian_mask", dy=dy, noise=saved.noise)
    check_shape("gaussian_mask", "dy", dy, saved.shape)
    dx = _memory.empty(dy.shape, dy.dtype)
    IMPLEMENTATIONS[device_of(dy)].apply(x=dy.reshape(-1), noise=noise, out_y=dx.reshape(-1))
    return dx


def draw(
    size: int,
    dtype: npt.DTypeLike,
    *,
    mean: float = 0.0,
    std: float = 1.0,
    seed: int,
    stream: int,
) -> np.ndarray:
    """Normal numbers, (size,).

    Raises TypeError for a dtype other than float32 and float64, ValueError for a number out of
    range.

    >>> from kernels import gaussian_mask
    >>> gaussian_mask.draw(3, "float32", seed=0, stream=0).shape
    (3,)
    """
    if not 0 <= std < math.inf:
        raise ValueError(f"gaussian_mask: expected a finite std of 0 or more, got {std}")
    z = _memory.empty(-(-size // WORDS) * WORDS, dtype)
    float_arrays("gaussian_mask", dtype=z)
    IMPLEMENTATIONS[device_of(z)].draw(
        mean=float(mean),
        std=float(std),
        seed=word("gaussian_mask", "seed", seed),
        stream=word("gaussian_mask", "stream", stream),
        out_z=z,
    )
    return z[:size]
