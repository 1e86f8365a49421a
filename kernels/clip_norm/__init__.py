"""Arrays shrunk together to a common length of at most c: gradients before a step.

    x <- x min(1, c / |x|),  |x|^2 = the sum of the squares of all elements of all arrays

In place, like an optimizer's step, before which it belongs: implementations mark what they change
`inout_`. Pascanu, Mikolov & Bengio 2013.
"""

import math
from collections.abc import Sequence

import numpy as np

from kernels import _memory
from kernels._check import check_in_place, float_arrays
from kernels._device import Implementations, device_of
from kernels.clip_norm import cpu, reference

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)

# As in PyTorch, so that a factor is the same.
_EPS = 1e-6


def norm(arrays: Sequence[np.ndarray]) -> float:
    """The length of all elements together; squares are summed in float64.

    arrays  of any shapes, float32 or float64

    Raises TypeError for other dtypes.

    >>> import numpy as np
    >>> from kernels import clip_norm
    >>> clip_norm.norm([np.array([3.0]), np.array([[4.0]])])
    5.0
    """
    total, square = 0.0, np.zeros(1)
    for x in arrays:
        (x,) = float_arrays("clip_norm", x=x)
        if x.size:
            implementation = IMPLEMENTATIONS[device_of(x)]
            work = _memory.scratch(implementation.sum_of_squares_scratch(x))
            implementation.sum_of_squares(x=x.reshape(-1), **work, out_sum=square)
            total += float(square[0])
    return math.sqrt(total)


def clip(arrays: Sequence[np.ndarray], c: float) -> float:
    """Shrink the arrays if they are longer than c, else keep every bit; their length before.

    arrays  of any shapes, float32 or float64; changed in place
    c       greatest length, above 0

    Raises TypeError for other dtypes, ValueError for c and for an array that cannot be updated in
    place.

    >>> import numpy as np
    >>> from kernels import clip_norm
    >>> x = np.array([3.0, 4.0])
    >>> clip_norm.clip([x], 1.0)
    5.0
    >>> x.round(6)
    array([0.6, 0.8])
    """
    if not 0 < c < np.inf:
        raise ValueError(f"clip_norm: expected a finite c above 0, got {c}")
    for x in arrays:
        float_arrays("clip_norm", x=x)
        check_in_place("clip_norm", "x", x)
    length = norm(arrays)
    factor = c / (length + _EPS)
    if not factor >= 1:
        for x in arrays:
            if x.size:
                IMPLEMENTATIONS[device_of(x)].scale(factor=factor, inout_x=x.reshape(-1))
    return length
