"""`nnet evaluate`."""

import argparse

from ..jobs import job_named
from ..jobs.job import check_finite
from .parsing import add_run, load
from .refusing import OK, refusing


def add(commands: argparse._SubParsersAction) -> None:
    """Tell the parser about this command."""
    parser = commands.add_parser("evaluate", help="test a trained model")
    parser.add_argument("--data", help="as the job takes it; the run's if not given")
    add_run(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Load, test, print."""
    with refusing():
        run = load(arguments)
        job = job_named(run.description.KIND)
        found = job.evaluate(run, arguments.data)
    check_finite("the loss", found.loss)
    print(job.tell(found))
    return OK
