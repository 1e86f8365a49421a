"""What is called with a gradient on its way back."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

# By the keys of their handles, in the order in which they were registered.
Hooks = dict[int, Callable[[np.ndarray], np.ndarray]]

_next_key = itertools.count().__next__


class RemovableHandle:
    """What registering a hook returns."""

    def __init__(self, hooks: dict[int, Any]) -> None:
        self._hooks = hooks
        self._key = _next_key()

    def remove(self) -> None:
        self._hooks.pop(self._key, None)


def hooked(hooks: Hooks | None, gradient: np.ndarray) -> np.ndarray:
    """What the hooks make of a gradient, one after another."""
    for hook in tuple((hooks or {}).values()):
        gradient = hook(gradient)
    return gradient


def hooks_of(leaf: Any) -> Hooks | None:
    return getattr(leaf, "_hooks", None)
