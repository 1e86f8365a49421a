"""Writing the state of a module, by PyTorch's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..autograd.tensor import Tensor
from ..autograd.writes import wrote


class KeysLeft(NamedTuple):
    """Names that were not given, and given names that belong to nothing."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def load_state(
    kind: str, own: Mapping[str, Tensor], given: Mapping[str, Any], strict: bool
) -> KeysLeft:
    """Write the values of `given` into the tensors `own` of a module of that kind.

    See Module.load_state_dict.
    """
    left = KeysLeft(
        [name for name in own if name not in given],
        [name for name in given if name not in own],
    )
    wrong = []
    if strict:
        wrong += [f"missing {name}" for name in left.missing_keys]
        wrong += [f"unexpected {name}" for name in left.unexpected_keys]
    values = {name: as_values(given[name]) for name in own if name in given}
    for name, array in values.items():
        if array.shape != own[name].shape:
            wrong.append(f"expected {name} of shape {own[name].shape}, got {array.shape}")
        elif not np.can_cast(array.dtype, own[name].dtype, "same_kind"):
            wrong.append(f"expected {name} of {own[name].dtype}, got {array.dtype}")
    if wrong:
        raise ValueError(f"{kind}.load_state_dict: " + "; ".join(wrong))
    for name, array in values.items():
        np.copyto(own[name].data, array, "same_kind")
        wrote(own[name].data)
    return left


def as_values(value: Any) -> np.ndarray:
    """The numbers of a tensor, this library's or another one's, or of an array or list.

    Raises TypeError for anything else.
    """
    if isinstance(value, Tensor):
        return value.data
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        try:
            value = value.numpy()
        except TypeError:
            value = value.float().numpy()  # NumPy has no bfloat16
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"expected a tensor or an array of numbers, got {type(value).__name__}")
    return array
