"""`python -m tests.mutations [--only NAME ...] [--list]`: exit code 0 if every fault is caught."""

import argparse
import sys

from . import MUTATIONS
from .run import judge

parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
parser.add_argument("--only", nargs="+", metavar="NAME", help="those whose names begin so")
parser.add_argument("--list", action="store_true", help="print the names alone")
options = parser.parse_args()

chosen = [
    mutation
    for mutation in MUTATIONS
    if options.only is None or mutation.name.startswith(tuple(options.only))
]
if options.list:
    for mutation in chosen:
        print(f"{mutation.name:40} {mutation.file}")
elif not chosen:
    sys.exit("no mutation begins so; see --list")
else:
    sys.exit(not judge(chosen))
