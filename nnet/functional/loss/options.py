"""Options that losses have in common."""

from __future__ import annotations

from typing import Any

from ...autograd.recording import is_grad_enabled
from ...autograd.tensor import Tensor


def check_reduction(op: str, reduction: str, size_average: Any, reduce: Any, *more: str) -> None:
    """ValueError for what is no reduction, and for the options that it took the place of."""
    for name, value in (("size_average", size_average), ("reduce", reduce)):
        if value is not None:
            raise ValueError(
                f"{op}: expected reduction='mean', 'sum' or 'none' in place of {name}, which is "
                f"deprecated, got {name}={value!r}"
            )
    if reduction not in ("mean", "sum", "none", *more):
        others = "".join(f", {name!r}" for name in more)
        raise ValueError(
            f"{op}: expected reduction 'mean', 'sum' or 'none'{others}, got {reduction!r}"
        )


def needs_gradient(input: Tensor) -> bool:
    return input.requires_grad and is_grad_enabled()
