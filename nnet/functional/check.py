"""Checks that several operations make; kernels check dtypes and shapes again for themselves."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensor import Tensor


def check_tensors(op: str, **arguments: Any) -> None:
    """TypeError for what is neither a float tensor nor None, or of another dtype than the rest."""
    first: Tensor | None = None
    for name, value in arguments.items():
        if value is None:
            continue
        if not isinstance(value, Tensor):
            raise TypeError(f"{op}: expected {name} to be a tensor, got {type(value).__name__}")
        dtype = value.data.dtype
        if dtype.kind != "f":
            raise TypeError(f"{op}: expected {name} of float32 or float64, got {dtype}")
        if first is None:
            first = value
        elif dtype is not first.data.dtype and dtype != first.data.dtype:
            raise TypeError(
                f"{op}: expected {name} of {first.data.dtype} like the rest, got {dtype}"
            )


def pair(op: str, name: str, value: Any) -> tuple[int, int]:
    """(vertical, horizontal) from one integer or two."""
    sizes = (value, value) if isinstance(value, int | np.integer) else value
    try:
        vertical, horizontal = sizes
        return int(vertical), int(horizontal)
    except (TypeError, ValueError):
        raise TypeError(f"{op}: expected {name} as one or two integers, got {value!r}") from None


def check_images(op: str, input: Any) -> bool:
    """True for (N, C, H, W), False for one image (C, H, W), ValueError for anything else."""
    check_tensors(op, input=input)
    if input.data.ndim not in (3, 4):
        raise ValueError(
            f"{op}: expected input of shape (N, C, H, W) or (C, H, W), got {input.shape}"
        )
    return input.data.ndim == 4
