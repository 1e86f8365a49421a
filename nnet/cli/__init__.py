"""The command line, a file a command: train, evaluate, predict, generate, info, warmup."""

import argparse
import sys
from collections.abc import Sequence

import numpy as np

from ..jobs.job import NotFinite
from . import evaluate, generate, info, output, predict, train, warm_up
from .parsing import Parser
from .refusing import FAILED, INTERRUPTED, REFUSED, UNREAD, Refused, in_a_line
from .signals import ending

COMMANDS = (train, evaluate, predict, generate, info, warm_up)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    0 done, 1 it failed, 2 the command cannot be carried out as given, 130 Ctrl-C, 141 what it
    prints is not read, 143 SIGTERM and 129 SIGHUP, which end it as Ctrl-C does.
    """
    output.be_lenient()
    with ending() as came:
        code = _carried_out(sys.argv[1:] if argv is None else list(argv))
    return 128 + came[0] if came and code == INTERRUPTED else code


def _carried_out(argv: list[str]) -> int:
    name = "nnet"
    try:
        try:
            arguments = _parsed(argv)
            name = f"nnet {arguments.command}"
            with np.errstate(all="ignore"):  # told by what comes out of a model
                return arguments.run(arguments)
        finally:
            output.flush()
    except BrokenPipeError:
        output.drop()
        return UNREAD
    except (Refused, NotFinite, OSError) as error:
        output.drop()
        print(f"{name}: {in_a_line(error)}", file=sys.stderr)
        return REFUSED if isinstance(error, Refused) else FAILED
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return INTERRUPTED


def _parsed(argv: list[str]) -> argparse.Namespace:
    parser = _parser()
    try:
        words = train.with_job(argv)
    except ValueError as error:
        parser.error(str(error))
    return parser.parse_args(words, argparse.Namespace(argv=argv))


def _parser() -> Parser:
    parser = Parser(prog="nnet", description="Train neural networks on the CPU, and use them.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser
