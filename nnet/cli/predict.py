"""`nnet predict`."""

import argparse

import numpy as np

from .. import data, functional
from ..tape import no_grad
from ..training import recipe
from ..training.evaluation import evaluating
from .parsing import add_run, load
from .refusing import OK, refusing


def add(commands: argparse._SubParsersAction) -> None:
    """Tell the parser about this command."""
    parser = commands.add_parser("predict", help="classify images")
    add_run(parser)
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="PNG, or .npy of bytes")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Load, classify, print a line an image."""
    with refusing():
        run = load(arguments)
        images = [data.read_image(path, run.description.shape) for path in arguments.images]
    classes = run.description.classes
    dataset = data.ImageDataset(np.stack(images), np.zeros(len(images), np.int64), classes)
    names = iter(arguments.images)
    with evaluating(run.model), no_grad():
        for batch, _ in recipe.loader(dataset, run.description):
            for probabilities in functional.softmax(run.model(batch), 1).numpy():
                best = int(probabilities.argmax())
                print(f"{next(names)}  {classes[best]}  {probabilities[best]:.4f}")
    return OK
