"""Arguments: parsers that refuse in one line, and numbers that are checked."""

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

from kernels import _jit

from ..training import load_run
from ..training.run_folder import WEIGHTS, Run
from .refusing import REFUSED


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and where help is."""

    def error(self, message: str) -> NoReturn:
        self.exit(REFUSED, f"{self.prog}: {message}; see {self.prog} --help\n")


def number(kind: Callable[[str], Any], good: Callable[[Any], bool], expected: str) -> Callable:
    """A type of arguments: what `kind` reads and `good` accepts."""

    def parse(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not good(value):
            raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}")
        return value

    return parse


count = number(int, lambda value: value >= 1, "an integer of at least 1")
seed = number(int, lambda value: 0 <= value < 1 << 63, "an integer from 0 to 2**63 - 1")
rate = number(float, lambda value: 0 < value < float("inf"), "a number above 0")
share = number(float, lambda value: 0 <= value < 1, "a number from 0 to below 1")
decay = number(float, lambda value: 0 <= value < float("inf"), "a number of at least 0")


def add_run(parser: argparse.ArgumentParser) -> None:
    """The arguments of a command that uses a trained model."""
    parser.add_argument("folder", metavar="RUN", help=f"a run folder, with {WEIGHTS}")
    parser.add_argument("--threads", type=count, help="all cores if not given")


def load(arguments: argparse.Namespace) -> Run:
    """The run that `add_run` asked for."""
    if arguments.threads is not None:
        _jit.set_num_threads(arguments.threads)
    return load_run(arguments.folder)
