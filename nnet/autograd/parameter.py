"""Parameters, which modules learn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from .tensor import Tensor

__all__ = ["Parameter"]

# Asked about the values of each new parameter, before they are drawn; see `allowing`.
_allowed: ContextVar[Callable[[np.ndarray], None] | None] = ContextVar("_allowed", default=None)


class Parameter(Tensor):
    """A tensor that a module learns.

    >>> import nnet as nn
    >>> nn.Parameter(nn.zeros(2))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Any = (), requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad)
        allow = _allowed.get()
        if allow is not None:
            allow(self.data)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


@contextmanager
def allowing(allow: Callable[[np.ndarray], None]) -> Iterator[None]:
    """Inside, `allow` sees each new parameter and raises where it is not to be made."""
    token = _allowed.set(allow)
    try:
        yield
    finally:
        _allowed.reset(token)
