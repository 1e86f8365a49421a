"""What is called after a module's forward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# Called with a module, what it was given, by name too if it asks for that, and what it gives;
# what it returns replaces that.
Hook = Callable[..., Any]


class RemovableHandle:
    """What registering a hook returns."""

    def __init__(self, hooks: dict[int, tuple[Hook, bool]]) -> None:
        self._hooks = hooks
        self._key = max(hooks, default=-1) + 1

    def remove(self) -> None:
        self._hooks.pop(self._key, None)
