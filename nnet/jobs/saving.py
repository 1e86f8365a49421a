"""What a run writes down, and where to when its own folder takes it no more."""

import os
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from .. import environment
from ..runs.run_folder import save_run
from ..training.history import History
from .job import Prepared
from .undisturbed import undisturbed


class Saved(NamedTuple):
    """Where a run is, None for nowhere; what run.json holds; what kept the run from a folder."""

    folder: Path | None
    record: dict
    failures: tuple[OSError, ...] = ()


def saved(
    prepared: Prepared, history: History, command: list[str] | None, stopped: str | None
) -> Saved:
    """Write a run to its folder, or else to where there is room.

    command  that started the training
    stopped  why it ended early

    Whatever became of the folder in the meantime, what was learned is not thrown away.
    """
    with undisturbed():
        record = _record(prepared, command, stopped)
        try:
            _save(prepared.folder, prepared, history, record)
            return Saved(prepared.folder, record)
        except OSError as error:
            why = error
        try:
            return Saved(_rescued(prepared, history, record), record, (why,))
        except OSError as error:
            return Saved(None, record, (why, error))


def _record(prepared: Prepared, command: list[str] | None, stopped: str | None) -> dict:
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


def _rescued(prepared: Prepared, history: History, record: dict) -> Path:
    """Where the run is instead.

    Tried are the folder for temporary files, the current one and the user's own. Raises OSError
    where none of them takes it.
    """
    failed: OSError | None = None
    for place in (tempfile.gettempdir, os.getcwd, Path.home):
        try:
            folder = Path(tempfile.mkdtemp(prefix="nnet-run-", dir=place()))
        except OSError as error:
            failed = error
            continue
        try:
            _save(folder, prepared, history, record)
            return folder
        except OSError as error:
            failed = error
            shutil.rmtree(folder, ignore_errors=True)
    assert failed is not None
    raise failed


def _save(folder: Path, prepared: Prepared, history: History, record: dict) -> None:
    save_run(folder, prepared.model, prepared.description, history, record)
