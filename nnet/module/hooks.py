"""What is called after a module's forward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.hooks import RemovableHandle as RemovableHandle

# Called with a module, what it was given, by name too if it asks for that, and what it gives;
# what it returns replaces that.
Hook = Callable[..., Any]
