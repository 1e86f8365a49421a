"""`nnet generate`."""

import argparse

from ..jobs.char_lm.generating import generate
from ..jobs.options import AT_LEAST_0, COUNT, SEED
from .parsing import add_run, checked, load
from .refusing import OK, refusing


def add(commands: argparse._SubParsersAction) -> None:
    """Tell the parser about this command."""
    parser = commands.add_parser("generate", help="text by a trained language model")
    add_run(parser)
    parser.add_argument("--prompt", required=True, metavar="TEXT", help="what to go on from")
    parser.add_argument("--length", type=checked(COUNT), default=500, help="characters; 500")
    parser.add_argument(
        "--temperature",
        type=checked(AT_LEAST_0),
        default=1.0,
        help="below 1 the likely becomes likelier, at 0 the likeliest is taken; 1",
    )
    parser.add_argument("--seed", type=checked(SEED), default=0, help="one seed, one text; 0")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the prompt and what follows, as it comes."""
    with refusing():
        characters = generate(
            load(arguments),
            arguments.prompt,
            arguments.length,
            arguments.temperature,
            arguments.seed,
        )
    print(arguments.prompt, end="", flush=True)
    for character in characters:
        print(character, end="", flush=True)
    print()
    return OK
