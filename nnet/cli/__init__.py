"""The command line, a file a command: train, evaluate, predict, generate, info, warmup."""

import argparse
import sys
from collections.abc import Sequence

from . import evaluate, generate, info, predict, train, warm_up
from .parsing import Parser
from .refusing import INTERRUPTED, REFUSED, Refused

COMMANDS = (train, evaluate, predict, generate, info, warm_up)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    0 done, 1 the training failed, 2 the command cannot be carried out as given, 130 Ctrl-C.
    """
    argv = sys.argv[1:] if argv is None else list(argv)
    parser = _parser()
    try:
        words = train.with_job(argv)
    except ValueError as error:
        parser.error(str(error))
    arguments = parser.parse_args(words, argparse.Namespace(argv=argv))
    try:
        return arguments.run(arguments)
    except Refused as error:
        print(f"nnet {arguments.command}: {error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print(f"nnet {arguments.command}: interrupted", file=sys.stderr)
        return INTERRUPTED


def _parser() -> Parser:
    parser = Parser(prog="nnet", description="Train neural networks on the CPU, and use them.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser
