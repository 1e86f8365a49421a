"""Max-norm: each row of weights is shrunk to a length of at most c (Srebro & Shraibman 2005).

    w <- w min(1, c / |w|)

the nearest point of the ball of radius c. In place, like an optimizer's step, behind which it
belongs: implementations mark what they change `inout_`.
"""

import numpy as np

from kernels._check import check_in_place, float_arrays
from kernels._device import Implementations, device_of
from kernels.max_norm import cpu, reference

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)


def project(weight: np.ndarray, c: float) -> None:
    """Shrink the rows of weight that are longer than c; the others keep every bit.

    weight  (rows, ...), float32 or float64; a row is all that follows the first axis. Its square
            is summed in float64
    c       greatest length, above 0

    Raises TypeError for other dtypes, ValueError for c, for no axes, and for an array that cannot
    be updated in place.

    >>> import numpy as np
    >>> from kernels import max_norm
    >>> weight = np.array([[3.0, 4.0], [0.3, 0.4]])
    >>> max_norm.project(weight, 1.0)
    >>> weight
    array([[0.6, 0.8],
           [0.3, 0.4]])
    """
    float_arrays("max_norm", weight=weight)
    if not 0 < c < np.inf:
        raise ValueError(f"max_norm: expected a finite c above 0, got {c}")
    if not weight.ndim:
        raise ValueError("max_norm: expected weight of shape (rows, ...), got ()")
    check_in_place("max_norm", "weight", weight)
    if weight.size:
        IMPLEMENTATIONS[device_of(weight)].project(
            c=float(c), inout_weight=weight.reshape(weight.shape[0], -1)
        )
