"""`nnet info`."""

import argparse

from kernels import runtime

from .. import environment
from .refusing import OK


def add(commands: argparse._SubParsersAction) -> None:
    """Tell the parser about this command."""
    parser = commands.add_parser("info", help="versions, processor, threads, kernel cache, CUDA")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what results depend on."""
    processor = environment.processor()
    lines: dict[str, object] = {
        **environment.versions(),
        "processor": f"{processor.name} ({processor.architecture})",
        "vector features": " ".join(processor.features),
        "threads": processor.threads,
        "threading layer": runtime.threading_layer(),
        "compiled kernels": runtime.cache_folder() or "not kept, as the warning tells",
        "CUDA": environment.cuda(),
    }
    for name, value in lines.items():
        print(f"{name:18}{value}")
    return OK
