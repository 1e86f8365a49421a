"""`nnet train`, and `nnet train JOB`."""

import argparse
import sys
from collections.abc import Sequence

from kernels import runtime

from ..jobs import JOBS
from ..jobs.job import Prepared, check_finite, rescue, save
from ..runs.run_folder import write_record
from ..training import History, NonFiniteLoss
from .parsing import add_settings, settings_of
from .refusing import FAILED, INTERRUPTED, OK, in_a_line, refusing
from .signals import undisturbed

USUAL = "images"


def with_job(argv: Sequence[str]) -> list[str]:
    """To the parser `train` and the name of a job are one word.

    Raises ValueError for a job that is not known.
    """
    if len(argv) < 2 or argv[0] != "train" or argv[1].startswith("-"):
        return list(argv)
    if argv[1] not in JOBS:
        raise ValueError(f"expected a job out of {', '.join(JOBS)}, got {argv[1]!r}")
    return [f"train {argv[1]}", *argv[2:]]


def add(commands: argparse._SubParsersAction) -> None:
    """Tell the parser about this command, alone and with each job."""
    _add(commands, "train", USUAL)
    for name in JOBS:
        _add(commands, f"train {name}", name)


def _add(commands: argparse._SubParsersAction, command: str, name: str) -> None:
    job = JOBS[name]
    parser = commands.add_parser(
        command,
        help=f"train {job.ABOUT}",
        description=f"Train {job.ABOUT}. Jobs: nnet train {', '.join(JOBS)}.",
    )
    add_settings(parser, job.Settings)
    parser.add_argument("--out", metavar="FOLDER", help="of the run; runs/DATA-TIME if not given")
    parser.add_argument("--overwrite", action="store_true", help="replace a run in that folder")
    parser.add_argument("--no-progress", dest="progress", action="store_false", help="say less")
    parser.set_defaults(run=run, job=job)


def run(arguments: argparse.Namespace) -> int:
    """Train, save, test."""
    job = arguments.job
    settings = settings_of(arguments, job.Settings)
    with refusing():
        prepared = job.prepare(settings, arguments.out, arguments.overwrite)
    command, name = ["nnet", *arguments.argv], f"nnet {arguments.command}"
    try:
        history = job.train(prepared, arguments.progress)
    except NonFiniteLoss as error:
        if _save(name, prepared, error.history, command, str(error)) is not None:
            print(f"{name}: {error}; saved in {prepared.folder}", file=sys.stderr)
        return FAILED
    if history.interrupted:
        if _save(name, prepared, history, command, "interrupted") is None:
            return FAILED
        steps = len(history.step_loss)
        print(f"{name}: interrupted after {steps} steps; saved in {prepared.folder}")
        return INTERRUPTED
    record = _save(name, prepared, history, command)
    if record is None:
        return FAILED
    found = job.test(prepared)
    check_finite("the loss", found.loss)
    write_record(prepared.folder, record | {"result": found._asdict()})
    print(job.tell(found))
    print(f"training {history.seconds:.1f} s, threads {runtime.get_num_threads()}")
    print(f"run {prepared.folder}")
    return OK


def _save(
    name: str, prepared: Prepared, history: History, command: list[str], stopped: str | None = None
) -> dict | None:
    """What run.json holds; None, and a line that says where the run is, if it is not in its folder.

    Whatever became of the folder in the meantime, what was learned is not thrown away.
    """
    with undisturbed():
        try:
            return save(prepared, history, command, stopped)
        except OSError as error:
            why = in_a_line(error)
        try:
            folder = rescue(prepared, history, command, stopped)
        except OSError as error:
            print(f"{name}: {why}; saved nowhere else, {in_a_line(error)}", file=sys.stderr)
        else:
            print(f"{name}: {why}; saved in {folder}", file=sys.stderr)
    return None
