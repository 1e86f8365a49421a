"""What jobs share: how they begin, and what they write down."""

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from kernels import runtime

from .. import environment
from .. import random as randomness
from ..module.module import Module
from ..runs.descriptions import Description
from ..runs.run_folder import check_room, prepare_run, save_run
from ..training.history import History


class Part(Protocol):
    """Data that a run is trained or tested on."""

    def __len__(self) -> int: ...

    def fingerprint(self) -> str: ...


@dataclass(frozen=True)
class Prepared:
    """Everything checked and loaded, so that nothing but the training itself can fail.

    settings  all that the training depends on, but for the versions of the libraries
    parts     of the data, by name

    Raises TypeError or ValueError for a description that could not be read again, OSError where
    the folder has no room for the weights.
    """

    settings: Any
    folder: Path
    parts: Mapping[str, Part]
    description: Description
    model: Module

    def __post_init__(self) -> None:
        self.description.check()
        check_room(self.folder, self.model)


class NotFinite(ArithmeticError):
    """What a model gives out is no number."""


def check_finite(what: str, values: Any) -> None:
    """Raises NotFinite for NaN and infinity."""
    if not np.isfinite(values).all():
        wrong = np.ravel(values)[~np.isfinite(np.ravel(values))][0]
        raise NotFinite(f"expected {what} to be finite, the model gives {wrong}")


def told(name: str, probabilities: np.ndarray, classes: Sequence[str]) -> str:
    """The likeliest class in a line. Raises NotFinite for probabilities that are none."""
    check_finite(f"probabilities for {name}", probabilities)
    best = int(probabilities.argmax())
    return f"{name}  {classes[best]}  {probabilities[best]:.4f}"


def begin(settings: Any, name: str, folder: str | Path | None, overwrite: bool) -> Path:
    """Make the run folder (runs/NAME-TIME by default), set threads and random numbers."""
    if folder is None:
        folder = Path("runs") / f"{name}-{datetime.now():%Y%m%d-%H%M%S}"
    folder = prepare_run(folder, overwrite)
    if settings.threads is not None:
        runtime.set_num_threads(settings.threads)
    randomness.manual_seed(settings.seed)
    return folder


def save(
    prepared: Prepared, history: History, command: list[str], stopped: str | None = None
) -> dict:
    """Write the run folder, and return what run.json holds.

    command  that started the training
    stopped  why it ended early
    """
    record = _record(prepared, command, stopped)
    save_run(prepared.folder, prepared.model, prepared.description, history, record)
    return record


def rescue(
    prepared: Prepared, history: History, command: list[str], stopped: str | None = None
) -> Path:
    """Write a run to where there is room, since its own folder has none any more; return where.

    Tried are the folder for temporary files, the current one and the user's own. Raises OSError
    where none of them takes it.
    """
    record = _record(prepared, command, stopped)
    failed: OSError | None = None
    for place in (tempfile.gettempdir, os.getcwd, Path.home):
        try:
            folder = Path(tempfile.mkdtemp(prefix="nnet-run-", dir=place()))
        except OSError as error:
            failed = error
            continue
        try:
            save_run(folder, prepared.model, prepared.description, history, record)
            return folder
        except OSError as error:
            failed = error
            shutil.rmtree(folder, ignore_errors=True)
    assert failed is not None
    raise failed


def _record(prepared: Prepared, command: list[str], stopped: str | None) -> dict:
    return {
        "command": command,
        "settings": asdict(prepared.settings),
        "stopped": stopped,
        "data": {
            name: {"samples": len(part), "sha256": part.fingerprint()}
            for name, part in prepared.parts.items()
        },
        "versions": environment.versions(),
        "processor": environment.processor()._asdict(),
    }
