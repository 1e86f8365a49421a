"""What is called after a module's forward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# Called with a module, what it was given and what it gives; what it returns replaces that.
Hook = Callable[[Any, tuple, Any], Any]


class RemovableHandle:
    """What registering a hook returns."""

    def __init__(self, hooks: dict[int, Hook]) -> None:
        self._hooks = hooks
        self._key = max(hooks, default=-1) + 1

    def remove(self) -> None:
        self._hooks.pop(self._key, None)
