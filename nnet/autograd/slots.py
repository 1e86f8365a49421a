"""What a tensor consists of."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np


class Place(Protocol):
    """Where a parameter lives in flat buffers, with a place for its gradient; see `Home`."""

    data: np.ndarray
    gradient: np.ndarray
    grad: Any

    def is_free(self, data: np.ndarray) -> bool: ...


class Slots:
    """What a tensor consists of."""

    __slots__ = (
        "__weakref__",
        "_home",
        "_hooks",  # of a leaf, if one was registered
        "_moved",  # serial of the last assignment to data, if there was one
        "_node",
        "_view",
        "_views",
        "data",
        "grad",
        "requires_grad",
    )


# As `tensor.grad = grad`, without `Tensor.__setattr__`, for what is done in every step.
set_grad = Slots.grad.__set__  # type: ignore[attr-defined]


class New(Slots):
    """A tensor while it is made: `Tensor.__setattr__` costs more than recording may."""

    __slots__ = ()
