"""`nnet warmup`."""

import argparse
import sys

from kernels import runtime

from .. import warmup
from .refusing import FAILED, OK, Refused


def add(commands: argparse._SubParsersAction) -> None:
    """Tell the parser about this command."""
    parser = commands.add_parser("warmup", help="compile beforehand what the networks need")
    names = f"{', '.join(warmup.NAMES)}; all"
    parser.add_argument("models", nargs="*", metavar="MODEL", type=_model, help=names)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Compile, saying how far it is."""
    if runtime.cache_folder() is None:
        raise Refused("compiled kernels cannot be kept, as the warning tells")
    try:
        warmup.warm_up(arguments.models or warmup.NAMES, lambda text: print(text, flush=True))
    except RuntimeError as error:
        print(f"nnet warmup: {error}", file=sys.stderr)
        return FAILED
    return OK


def _model(name: str) -> str:
    if name not in warmup.NAMES:
        known = ", ".join(warmup.NAMES)
        raise argparse.ArgumentTypeError(f"expected a model out of {known}, got {name!r}")
    return name
