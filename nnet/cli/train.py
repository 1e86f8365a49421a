"""`nnet train`, and `nnet train JOB`."""

import argparse
import sys
from collections.abc import Sequence

from kernels import runtime

from ..jobs import JOBS, job_named
from ..jobs.running import Result, carry_out
from .parsing import add_settings, settings_of
from .refusing import FAILED, INTERRUPTED, OK, in_a_line, refusing

USUAL = "images"


def with_job(argv: Sequence[str]) -> list[str]:
    """To the parser `train` and the name of a job are one word.

    Raises ValueError for a job that is not known.
    """
    if len(argv) < 2 or argv[0] != "train" or argv[1].startswith("-"):
        return list(argv)
    job_named(argv[1])
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
    """Do the job, and say what became of it."""
    job, name = arguments.job, f"nnet {arguments.command}"
    settings = settings_of(arguments, job.Settings)
    with refusing():
        prepared = job.prepare(settings, arguments.out, arguments.overwrite)
    result = carry_out(job, prepared, arguments.progress, ["nnet", *arguments.argv])
    if result.failures:
        print(f"{name}: {_failures(result)}", file=sys.stderr)
        return FAILED
    if result.error is not None:
        print(f"{name}: {result.error}; saved in {result.folder}", file=sys.stderr)
        return FAILED
    if result.interrupted:
        steps = len(result.history.step_loss)
        print(f"{name}: interrupted after {steps} steps; saved in {result.folder}")
        return INTERRUPTED
    print(result.line)
    print(f"training {result.history.seconds:.1f} s, threads {runtime.get_num_threads()}")
    print(f"run {result.folder}")
    return OK


def _failures(result: Result) -> str:
    """What kept a run from its folder, and where it is instead."""
    first, *others = map(in_a_line, result.failures)
    if result.folder is None:
        return f"{first}; saved nowhere else, {others[-1]}"
    return f"{first}; saved in {result.folder}"
