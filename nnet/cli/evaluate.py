"""`nnet evaluate`."""

import argparse

from ..training import Evaluation, evaluate, recipe
from .parsing import add_run, load
from .refusing import OK, refusing


def add(commands: argparse._SubParsersAction) -> None:
    """Tell the parser about this command."""
    parser = commands.add_parser("evaluate", help="test a trained model")
    parser.add_argument("--data", help="mnist, or a folder of IDX files; the run's if not given")
    add_run(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Load, test, print."""
    with refusing():
        run = load(arguments)
        name = arguments.data or run.record["settings"]["data"]
        _, test = recipe.load_data(name)
        shape, classes = run.description.shape, run.description.classes
        if test.images.shape[1:] != shape or len(test.classes) > len(classes):
            raise ValueError(
                f"{name}: expected images of shape {shape} in {len(classes)} classes, as the run "
                f"was trained on, got {test.images.shape[1:]} in {len(test.classes)}"
            )
    say(evaluate(run.model, recipe.loader(test, run.description)))
    return OK


def say(found: Evaluation) -> None:
    """A line on standard output."""
    assert found.accuracy is not None
    print(f"test accuracy {100 * found.accuracy:.2f} %, loss {found.loss:.4f}")
