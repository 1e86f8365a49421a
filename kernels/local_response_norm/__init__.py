"""Local response normalization: a value over a power of the squares in nearby channels.

y_i = x_i / (k + alpha sum_j x_j^2)^beta, j over `size` channels around i: Krizhevsky, Sutskever &
Hinton 2012, where size 5, alpha 1e-4, beta 0.75, k 2. float32 or float64, one dtype in a call.
"""

import math
from typing import NamedTuple

import numpy as np

from kernels import _memory
from kernels._check import check_shape, float_arrays
from kernels._device import Implementations, device_of
from kernels.local_response_norm import cpu, reference

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)


class Saved(NamedTuple):
    x: np.ndarray
    size: int
    alpha: float
    beta: float
    k: float


def forward(
    x: np.ndarray, size: int, *, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0
) -> tuple[np.ndarray, Saved]:
    """Normalize x (N, C, ...).

    size   channels in a window: size // 2 below a channel, itself, (size - 1) // 2 above
    alpha  weight of each square; PyTorch's is `size` times this one

    Raises TypeError for other dtypes, ValueError for other shapes and unless size >= 1.

    >>> import numpy as np
    >>> from kernels import local_response_norm
    >>> local_response_norm.forward(np.ones((1, 3, 1)), 3, alpha=1.0, beta=1.0, k=1.0)[0].ravel()
    array([0.33333333, 0.25      , 0.33333333])
    """
    (x,) = float_arrays("local_response_norm", x=x)
    if x.ndim < 2:
        raise ValueError(f"local_response_norm: expected x of shape (N, C, ...), got {x.shape}")
    if size < 1:
        raise ValueError(f"local_response_norm: expected size >= 1, got {size}")
    saved = Saved(x, int(size), float(alpha), float(beta), float(k))
    y = _memory.empty(x.shape, x.dtype)
    if x.size:
        planes = _planes(x)
        IMPLEMENTATIONS[device_of(x)].forward(
            **saved._replace(x=planes)._asdict(), out_y=y.reshape(planes.shape)
        )
    return y, saved


def backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx: its own share of y, less what it takes from its neighbours.

    Raises TypeError for another dtype and ValueError for another shape than x's.
    """
    x, dy = float_arrays("local_response_norm", x=saved.x, dy=dy)
    check_shape("local_response_norm", "dy", dy, x.shape)
    dx = _memory.empty(x.shape, x.dtype)
    if x.size:
        planes = _planes(x)
        implementation = IMPLEMENTATIONS[device_of(x)]
        implementation.backward(
            dy=dy.reshape(planes.shape),
            **saved._replace(x=planes)._asdict(),
            **_memory.scratch(implementation.backward_scratch(planes)),
            out_dx=dx.reshape(planes.shape),
        )
    return dx


def _planes(x: np.ndarray) -> np.ndarray:
    return x.reshape(*x.shape[:2], math.prod(x.shape[2:]))
