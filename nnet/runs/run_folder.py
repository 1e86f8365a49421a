"""A run: what was trained, how it went, and what is needed to repeat it."""

import errno
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from ..data.json_file import read_json
from ..module.module import Module
from ..training.history import History
from ..training.progress import say
from .checkpoints import load_model, save_weights
from .curves import draw_curves
from .description import Description
from .files import written_beside
from .kinds import Kinds

WEIGHTS = "weights.safetensors"
HISTORY = "history.json"
RECORD = "run.json"
CURVES = "curves.png"


D = TypeVar("D", bound=Description)


@dataclass(frozen=True)
class Run(Generic[D]):
    """A run read back.

    record  what run.json holds

    >>> import nnet as nn, pathlib
    >>> letters = nn.data.Vocabulary("abc").to_dict()
    >>> about = nn.training.TextDescription({"symbols": 3, "hidden": 4}, letters)
    >>> history = nn.training.History(steps_an_epoch=1)
    >>> run = nn.training.Run(pathlib.Path("runs"), about.build(), about, history, {})
    >>> run.description.KIND
    'char-lm'
    """

    folder: Path
    model: Module
    description: D
    history: History
    record: dict


def prepare_run(folder: str | os.PathLike, overwrite: bool = False) -> Path:
    """Make the folder and try to write to it, before time is spent on training.

    Raises OSError if it cannot be written to, FileExistsError if it holds a run already and
    overwrite is False.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass
    if (folder / WEIGHTS).exists() and not overwrite:
        raise FileExistsError(f"{folder} holds a run already, choose another or overwrite it")
    return folder


def check_room(folder: Path, model: Module) -> None:
    """Raises OSError where the model's weights would not fit into the folder."""
    size = sum(value.data.nbytes for value in model.state_dict().values())
    if not size or not hasattr(os, "posix_fallocate"):
        return
    with tempfile.TemporaryFile(dir=folder) as file:
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise OSError(error.errno, f"no room for {size} bytes", str(folder)) from error


def save_run(
    folder: Path, model: Module, description: Description, history: History, record: dict
) -> None:
    """Write weights, history, record and curves; without matplotlib or room there is no picture.

    Each file appears whole or not at all, the weights first. Raises OSError where the others
    cannot be written; the model is as it was, to be saved elsewhere.

    >>> import nnet as nn, pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> letters = nn.data.Vocabulary("abc").to_dict()
    >>> about = nn.training.TextDescription({"symbols": 3, "hidden": 4}, letters)
    >>> nn.training.save_run(folder, about.build(), about, nn.training.History(1), {})
    >>> (folder / "weights.safetensors").exists(), (folder / "run.json").read_text()
    (True, '{}\\n')
    """
    save_weights(folder / WEIGHTS, model, description)
    _write_json(folder / HISTORY, history.to_json())
    write_record(folder, record)
    try:
        draw_curves(history, folder / CURVES)
    except (ImportError, OSError) as error:
        say(f"no {CURVES}: {error}")


def write_record(folder: Path, record: dict) -> None:
    """Write what is needed to repeat the run."""
    _write_json(folder / RECORD, record)


def load_run(folder: str | os.PathLike, kinds: Kinds) -> Run[Any]:
    """The run of a folder, of one of these kinds; see `nn.training.load_run`."""
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: expected the folder of a run, found none")
    model, description = load_model(folder / WEIGHTS, kinds)
    content = read_json(folder / HISTORY)
    try:
        history = History.from_json(content)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{folder / HISTORY}: expected a history, {error}") from error
    return Run(folder, model, description, history, read_json(folder / RECORD))


def _write_json(path: Path, content: dict) -> None:
    with written_beside(path) as beside:
        beside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
