"""`nnet predict`."""

import argparse

from ..jobs import job_named
from .parsing import add_run, load
from .refusing import OK, refusing


def add(commands: argparse._SubParsersAction) -> None:
    """Tell the parser about this command."""
    parser = commands.add_parser("predict", help="what a trained model says about new inputs")
    add_run(parser)
    parser.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="+",
        help="images, npz files of series, or texts and files of texts",
    )
    parser.add_argument(
        "--picture", metavar="PNG", help="of attention; attention.png in the run's folder"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Load, print the lines that the job gives."""
    with refusing():
        run = load(arguments)
        lines = job_named(run.description.KIND).predict(run, arguments.inputs, arguments.picture)
    for line in lines:
        print(line)
    return OK
