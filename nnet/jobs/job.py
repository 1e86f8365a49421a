"""What jobs share: how they begin, and what they write down."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from kernels import _jit

from .. import environment
from .. import random as randomness
from ..module import Module
from ..training.descriptions import Description
from ..training.history import History
from ..training.run_folder import prepare_run, save_run


class Part(Protocol):
    """Data that a run is trained or tested on."""

    def __len__(self) -> int: ...

    def fingerprint(self) -> str: ...


@dataclass(frozen=True)
class Prepared:
    """Everything checked and loaded, so that nothing but the training itself can fail.

    settings  all that the training depends on, but for the versions of the libraries
    parts     of the data, by name
    """

    settings: Any
    folder: Path
    parts: Mapping[str, Part]
    description: Description
    model: Module


def begin(settings: Any, name: str, folder: str | Path | None, overwrite: bool) -> Path:
    """Make the run folder (runs/NAME-TIME by default), set threads and random numbers."""
    if folder is None:
        folder = Path("runs") / f"{name}-{datetime.now():%Y%m%d-%H%M%S}"
    folder = prepare_run(folder, overwrite)
    if settings.threads is not None:
        _jit.set_num_threads(settings.threads)
    randomness.manual_seed(settings.seed)
    return folder


def save(
    prepared: Prepared, history: History, command: list[str], stopped: str | None = None
) -> dict:
    """Write the run folder, and return what run.json holds.

    command  that started the training
    stopped  why it ended early
    """
    record = {
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
    save_run(prepared.folder, prepared.model, prepared.description, history, record)
    return record
