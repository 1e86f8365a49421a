"""Weights on disk: safetensors, with the description that rebuilds the model.

The description is JSON, never pickled objects; see `descriptions`.
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, deserialize, safe_open
from safetensors.numpy import save as serialized

from .. import environment
from ..module import Module
from .descriptions import Description, from_json, to_json
from .files import written_beside

# One entry, since safetensors writes several in random order.
_ENTRY = "nnet"

_OF_NUMPY = "BOOL F16 F32 F64 I8 I16 I32 I64 U8 U16 U32 U64".split()


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
    path: str | os.PathLike,
) -> tuple[dict[str, np.ndarray], Description | None]:
    """Read a safetensors file of this or another library: arrays by name, and the description.

    bfloat16 becomes float32, which holds its values. Raises FileNotFoundError for a missing file,
    ValueError for one that is no whole safetensors file, for numbers that NumPy has not, and for
    a description that cannot be read.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a file of weights, found none")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            state = _arrays(path, file)
    except SafetensorError as error:
        raise ValueError(f"{path}: expected a safetensors file, {error}") from error
    if _ENTRY not in metadata:
        return state, None
    try:
        content = json.loads(metadata[_ENTRY])["description"]
        return state, None if content is None else from_json(content)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: its description of the model is damaged, {error}") from error


def _arrays(path: Path, file: Any) -> dict[str, np.ndarray]:
    kinds = {name: file.get_slice(name).get_dtype() for name in file.keys()}
    for name, kind in kinds.items():
        if kind not in _OF_NUMPY and kind != "BF16":
            raise ValueError(
                f"{path}: expected {name} of {', '.join(_OF_NUMPY)} or BF16, got {kind}"
            )
    state = {name: file.get_tensor(name) for name, kind in kinds.items() if kind != "BF16"}
    if len(state) < len(kinds):
        for name, given in deserialize(path.read_bytes()):
            if name not in state:
                # The upper half of a float32.
                bits = np.frombuffer(given["data"], "<u2").astype(np.uint32) << 16
                state[name] = bits.view(np.float32).reshape(given["shape"])
    return {name: state[name] for name in kinds}


def load_model(path: str | os.PathLike) -> tuple[Module, Description]:
    """Rebuild a model from a file of weights that describes it.

    Raises what `load_weights` raises, and ValueError for weights without a description or that
    do not fit the model described.
    """
    state, description = load_weights(path)
    if description is None:
        raise ValueError(
            f"{path}: expected weights with a description of their model, got none; "
            "build the model yourself and use load_weights with load_state_dict"
        )
    try:
        model = description.build()
        model.load_state_dict(state)
    except (ValueError, TypeError, KeyError, RuntimeError) as error:
        raise ValueError(f"{path}: {error}") from error
    return model, description
