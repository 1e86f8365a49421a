"""Running averages of statistics."""

from __future__ import annotations

import numpy as np

from ...autograd.tensor import Tensor
from ...autograd.writes import wrote_average


def move_average(average: Tensor | None, value: np.ndarray, momentum: float) -> None:
    """average = (1 - momentum) average + momentum value, in place, if it is kept."""
    if average is not None:
        average.data[...] = (1 - momentum) * average.data + momentum * value
        wrote_average(average)
