"""`nnet train`, and `nnet train JOB`."""

import argparse
import sys
from collections.abc import Sequence

from kernels import _jit

from ..jobs import JOBS
from ..jobs.job import save
from ..training import NonFiniteLoss
from ..training.run_folder import write_record
from .parsing import add_settings, settings_of
from .refusing import FAILED, INTERRUPTED, OK, refusing

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
        save(prepared, error.history, command, str(error))
        print(f"{name}: {error}; saved in {prepared.folder}", file=sys.stderr)
        return FAILED
    if history.interrupted:
        save(prepared, history, command, "interrupted")
        steps = len(history.step_loss)
        print(f"{name}: interrupted after {steps} steps; saved in {prepared.folder}")
        return INTERRUPTED
    record = save(prepared, history, command)
    found = job.test(prepared)
    write_record(prepared.folder, record | {"result": found._asdict()})
    print(job.tell(found))
    print(f"training {history.seconds:.1f} s, threads {_jit.get_num_threads()}")
    print(f"run {prepared.folder}")
    return OK
