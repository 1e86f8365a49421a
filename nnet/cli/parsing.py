"""Arguments: a parser that refuses in one line, and options made of settings."""

import argparse
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, NoReturn

from kernels import runtime

from ..jobs import load_run
from ..jobs.options import COUNT
from ..runs.run_folder import WEIGHTS, Run
from .refusing import REFUSED


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and where help is."""

    def error(self, message: str) -> NoReturn:
        self.exit(REFUSED, f"{self.prog}: {message}; see {self.prog} --help\n")


def checked(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """The type of an argument that `read` makes a value of, or refuses with a ValueError."""

    def parse(text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse


def add_settings(parser: argparse.ArgumentParser, settings: type) -> None:
    """An argument for each field; see `nnet.jobs.options`."""
    for each in fields(settings):
        about, read = each.metadata["about"], checked(each.metadata["read"])
        if each.metadata["positional"]:
            parser.add_argument(each.name, metavar="FILE", type=read, help=about)
            continue
        required = each.default is MISSING
        shown = "" if required or each.default is None else f"; {each.default}"
        parser.add_argument(
            f"--{each.name.replace('_', '-')}",
            type=read,
            required=required,
            default=None if required else each.default,
            help=about + shown,
        )


def settings_of(arguments: argparse.Namespace, settings: type) -> Any:
    """The settings that were given."""
    return settings(**{each.name: getattr(arguments, each.name) for each in fields(settings)})


def add_run(parser: argparse.ArgumentParser) -> None:
    """The arguments of a command that uses a trained model."""
    parser.add_argument("folder", metavar="RUN", help=f"a run folder, with {WEIGHTS}")
    parser.add_argument("--threads", type=checked(COUNT), help="all cores if not given")


def load(arguments: argparse.Namespace) -> Run:
    """The run that `add_run` asked for."""
    if arguments.threads is not None:
        runtime.set_num_threads(arguments.threads)
    return load_run(arguments.folder)
