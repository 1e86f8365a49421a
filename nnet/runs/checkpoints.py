"""Weights on disk: safetensors, with the description that rebuilds the model.

The description is JSON, never pickled objects; see `kinds`.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, deserialize, safe_open
from safetensors.numpy import save as serialized

from .. import environment
from ..autograd.parameter import allowing
from ..data.json_file import parsed
from ..data.regular_file import opened
from ..module.module import Module
from ..training.schema import check_sizes
from .description import Description
from .files import written_beside
from .kinds import Kinds, from_json, to_json

# One entry, since safetensors writes several in random order.
_ENTRY = "nnet"

# Of safetensors' types those that NumPy has.
_DTYPES = ("F64", "F32", "F16", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL")


def save_weights(
    path: str | os.PathLike, model: Module, description: Description | None = None
) -> None:
    """Write the model's `state_dict` as safetensors; the file appears whole or not at all.

    The same weights give the same bytes.

    >>> import tempfile, nnet as nn
    >>> path = tempfile.mkdtemp() + "/weights.safetensors"
    >>> nn.training.save_weights(path, nn.Linear(2, 3))
    >>> sorted(nn.training.load_weights(path)[0])
    ['bias', 'weight']
    """
    state = {name: np.asarray(value, order="C") for name, value in model.state_dict().items()}
    about = {
        "description": None if description is None else to_json(description),
        "versions": environment.versions(),
    }
    metadata = {_ENTRY: json.dumps(about, sort_keys=True)}
    with written_beside(path) as beside:
        beside.write_bytes(serialized(state, metadata))


def load_weights(
    path: str | os.PathLike, kinds: Kinds
) -> tuple[dict[str, np.ndarray], Description | None]:
    """Arrays by name, a description of one of these kinds; see `nn.training.load_weights`."""
    with _opened(path) as file:
        return _state(path, file), _description(path, file, kinds)


def load_model(path: str | os.PathLike, kinds: Kinds) -> tuple[Module, Description]:
    """A model, its description of one of these kinds; see `nn.training.load_model`."""
    with _opened(path) as file:
        description = _description(path, file, kinds)
        if description is None:
            raise ValueError(
                f"{path}: expected weights with a description of their model, got none; "
                "build the model yourself and use load_weights with load_state_dict"
            )
        try:
            model = _built(description, file)
            model.load_state_dict(_state(path, file))
        except (ValueError, TypeError, KeyError, RuntimeError, MemoryError) as error:
            raise ValueError(f"{path}: {error}") from error
    return model, description


@contextmanager
def _opened(path: str | os.PathLike) -> Iterator[Any]:
    """A safetensors file whose header was read and found whole."""
    try:
        opened(path).close()
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path}: expected a file of weights, found none") from error
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except SafetensorError as error:
        raise ValueError(f"{path}: expected a safetensors file, {error}") from error


def _state(path: str | os.PathLike, file: Any) -> dict[str, np.ndarray]:
    kinds = {name: file.get_slice(name).get_dtype() for name in file.keys()}
    for name, kind in kinds.items():
        if kind not in _DTYPES and kind != "BF16":
            raise ValueError(f"{path}: expected {name} of {', '.join(_DTYPES)} or BF16, got {kind}")
    state = {name: file.get_tensor(name) for name, kind in kinds.items() if kind != "BF16"}
    if len(state) < len(kinds):
        for name, given in deserialize(Path(path).read_bytes()):
            if name not in state:
                # The upper half of a float32.
                bits = np.frombuffer(given["data"], "<u2").astype(np.uint32) << 16
                state[name] = bits.view(np.float32).reshape(given["shape"])
    return {name: state[name] for name in kinds}


def _description(path: str | os.PathLike, file: Any, kinds: Kinds) -> Description | None:
    metadata = file.metadata() or {}
    if _ENTRY not in metadata:
        return None
    try:
        about = parsed(metadata[_ENTRY])
        if "description" not in about:
            raise ValueError("expected a description, found none")
        content = about["description"]
        return None if content is None else from_json(content, kinds)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: its description of the model is damaged, {error}") from error


def _built(description: Description, file: Any) -> Module:
    """The model described, as long as it is no larger than the file.

    Each parameter must have the shape of a tensor that no other one took.
    """
    shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}
    left = Counter(shapes.values())
    inputs = getattr(description, "shape", ())
    sizes = (size for shape in (*shapes.values(), inputs) for size in shape)
    check_sizes(description.arguments, max(len(shapes), *sizes))

    def allow(values: np.ndarray) -> None:
        if not left[values.shape]:
            got = ", ".join(f"{name} {shape}" for name, shape in islice(shapes.items(), 4))
            raise ValueError(
                f"expected as many tensors of shape {values.shape} as its description of the "
                f"model has, found {got}{' and others' * (len(shapes) > 4)}"
            )
        left[values.shape] -= 1

    try:
        with allowing(allow):
            return description.build()
    except (MemoryError, OverflowError) as error:
        raise ValueError("expected a description of a model as large as its weights") from error
