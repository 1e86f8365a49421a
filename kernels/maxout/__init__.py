"""Maxout: the greatest of k pieces, y = max over j of x[:, j].

`forward(x)` of (N, k, S) returns `(y, Saved)`, y (N, S); `backward(dy, saved)` returns dx: all of
dy goes to the greatest piece, the first of them where several are equal. A NaN in any piece is NaN.
Goodfellow et al. 2013.
"""

from typing import NamedTuple

import numpy as np

from kernels import _memory
from kernels._check import check_shape, float_arrays
from kernels._device import Implementations, device_of
from kernels.maxout import cpu, reference

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)

MOST_PIECES = 256


class Saved(NamedTuple):
    piece: np.ndarray  # (N, S) uint8
    pieces: int


def forward(x: np.ndarray) -> tuple[np.ndarray, Saved]:
    """Return the greatest of the pieces of x (N, k, S), 1 <= k <= 256.

    Raises TypeError for other dtypes than float32 and float64, ValueError for another shape.

    >>> import numpy as np
    >>> from kernels import maxout
    >>> maxout.forward(np.array([[[1.0, 2.0], [3.0, -4.0]]]))[0]
    array([[3., 2.]])
    """
    (x,) = float_arrays("maxout", x=x)
    if x.ndim != 3 or not 1 <= x.shape[1] <= MOST_PIECES:
        raise ValueError(
            f"maxout: expected x of shape (N, k, S), 1 <= k <= {MOST_PIECES}, got {x.shape}"
        )
    n, pieces, size = x.shape
    y, piece = _memory.empty((n, size), x.dtype), _memory.empty((n, size), np.uint8)
    if y.size:
        IMPLEMENTATIONS[device_of(x)].forward(x=x, out_y=y, out_piece=piece)
    return y, Saved(piece, pieces)


def backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx (N, k, S) for dy (N, S)."""
    (dy,) = float_arrays("maxout", dy=dy)
    piece, pieces = saved
    check_shape("maxout", "dy", dy, piece.shape)
    n, size = dy.shape
    dx = _memory.empty((n, pieces, size), dy.dtype)
    if dy.size:
        IMPLEMENTATIONS[device_of(dy)].backward(dy=dy, piece=piece, out_dx=dx)
    return dx
