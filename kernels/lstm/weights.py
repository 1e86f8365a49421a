"""The weights of an LSTM."""

from typing import NamedTuple

import numpy as np


class Weights(NamedTuple):
    """Of a layer, or their gradients, which have no elements where they are not asked for."""

    ih: np.ndarray  # (4H, I)
    hh: np.ndarray  # (4H, P)
    bias: np.ndarray  # (4H,)
    hr: np.ndarray  # (P, H), or (0, H) without a projection
    peephole: np.ndarray  # (3, H), or (0, H) without
