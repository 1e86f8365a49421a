"""Checks that recurrent layers and cells make before anything is computed."""

from __future__ import annotations

import numpy as np

from ...autograd.tensor import Tensor

Shape = tuple[int, ...]


def check_sizes(name: str, **sizes: int) -> None:
    """TypeError for what is no integer, ValueError for what is below 1."""
    for key, value in sizes.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise TypeError(f"{name}: expected {key} to be an integer, got {value!r}")
        if value < 1:
            raise ValueError(f"{name}: expected {key} of at least 1, got {value}")


def check_flags(name: str, **flags: bool) -> None:
    """TypeError for what is neither True nor False: an argument in another's place."""
    for key, value in flags.items():
        if not isinstance(value, bool):
            raise TypeError(f"{name}: expected {key} as True or False, got {value!r}")


def check_nonlinearity(name: str, nonlinearity: str) -> None:
    """ValueError for others than two."""
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"{name}: expected nonlinearity 'tanh' or 'relu', got {nonlinearity!r}")


def samples_of(name: str, shape: Shape, input_size: int, batch_first: bool) -> Shape:
    """(N,), or () for input without a batch; ValueError for other shapes and for no step."""
    if len(shape) not in (2, 3) or shape[-1] != input_size:
        batch = "(N, T" if batch_first else "(T, N"
        raise ValueError(
            f"{name}: expected input of shape {batch}, {input_size}) or (T, {input_size}), "
            f"got {shape}"
        )
    steps, samples = (shape[0], ()) if len(shape) == 2 else (shape[0], shape[1:2])
    if batch_first and samples:
        steps, samples = shape[1], shape[:1]
    if not steps:
        raise ValueError(f"{name}: expected input of at least one step, got shape {shape}")
    return samples


def check_states(name: str, states: dict[str, Tensor | None], shapes: dict[str, Shape]) -> None:
    """ValueError for the first state of another shape; None is left out."""
    for key, state in states.items():
        if state is not None and state.shape != shapes[key]:
            raise ValueError(f"{name}: expected {key} of shape {shapes[key]}, got {state.shape}")
