"""What a call of a module does: its class's `forward`, and what the class says of that."""

from __future__ import annotations

from typing import Any

from .module import Module

_call = Module.__call__


def runs_own_forward(module: Module) -> bool:
    """Whether a call of the module is its class's `forward`, but for hooks."""
    return "forward" not in module.__dict__ and type(module).__call__ is _call


def is_plain(module: Module) -> bool:
    """Whether a call of the module is its class's `forward` and nothing else."""
    own = module.__dict__
    return "forward" not in own and not own["_forward_hooks"] and type(module).__call__ is _call


def is_linear(module: Module) -> bool:
    """Whether a call of the module is the `forward` that its class says is linear."""
    kind: Any = type(module)
    return kind.forward is getattr(kind, "linear_forward", None) and runs_own_forward(module)


def fuses(module: Module) -> type[Module] | None:
    """What the module's class, not one that it comes from, runs as one kernel with behind it."""
    return type(module).__dict__.get("fuses")
