"""`nnet train`."""

import argparse
import sys
from dataclasses import fields

from kernels import _jit

from ..training import NonFiniteLoss, recipe
from .evaluate import say
from .parsing import count, decay, rate, seed, share
from .refusing import FAILED, INTERRUPTED, OK, refusing


def add(commands: argparse._SubParsersAction) -> None:
    """Tell the parser about this command."""
    parser = commands.add_parser("train", help="train an image classifier")
    usual = recipe.Settings()
    for name, kind, text in (
        ("data", str, "mnist, or a folder of IDX files"),
        ("epochs", count, "passes over the training set"),
        ("batch-size", count, "samples a step"),
        ("lr", rate, "largest learning rate of the one-cycle schedule"),
        ("weight-decay", decay, "of Adam"),
        ("seed", seed, "of weights, dropout and order; one seed, one result"),
        ("threads", count, "all cores if not given; the result is the same"),
        ("validation", share, "share of the training set held back to be watched"),
        ("limit", count, "train on that many samples only"),
    ):
        default = getattr(usual, name.replace("-", "_"))
        shown = "" if default is None else f"; {default}"
        parser.add_argument(f"--{name}", type=kind, default=default, help=text + shown)
    parser.add_argument("--out", metavar="FOLDER", help="of the run; runs/DATA-TIME if not given")
    parser.add_argument("--overwrite", action="store_true", help="replace a run in that folder")
    parser.add_argument("--no-progress", dest="progress", action="store_false", help="say less")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train, save, test."""
    names = [field.name for field in fields(recipe.Settings)]
    settings = recipe.Settings(**{name: getattr(arguments, name) for name in names})
    with refusing():
        prepared = recipe.prepare(settings, arguments.out, arguments.overwrite)
    command = ["nnet", *arguments.argv]
    try:
        history = recipe.train(prepared, arguments.progress)
    except NonFiniteLoss as error:
        recipe.save(prepared, error.history, command, str(error))
        print(f"nnet train: {error}; saved in {prepared.folder}", file=sys.stderr)
        return FAILED
    if history.interrupted:
        recipe.save(prepared, history, command, "interrupted")
        steps = len(history.step_loss)
        print(f"nnet train: interrupted after {steps} steps; saved in {prepared.folder}")
        return INTERRUPTED
    say(recipe.test(prepared, recipe.save(prepared, history, command)))
    print(f"training {history.seconds:.1f} s, threads {_jit.get_num_threads()}")
    print(f"run {prepared.folder}")
    return OK
