"""The bits that every case computes, so that a change that was to leave them alone can show it.

    python -m bench.bits               # against bench/bits.json; exit code 1 if some differ
    python -m bench.bits conv2d rnn    # of these ops alone
    python -m bench.bits --write       # store this tree's, for registers as wide as here

Of a case it hashes the outputs and gradients in float32 and in float64; of a training step the
losses of three. Sums run over the lanes of a register, so machines with wider ones have bits of
their own. `NUMBA_CPU_FEATURES=$(python -m tests.narrow)` in the environment gives the narrower's.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from bench.case import Case
from bench.cases import CASES
from bench.figures import TRAINING_STEP
from bench.training_step import TRAININGS
from kernels._simd import REGISTER_BYTES

STORED = Path(__file__).with_name("bits.json")
STEPS = 3


def hashed(arrays: Iterable[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:12]


def of_case(case: Case, dtype: type) -> str:
    inputs = {
        name: array.astype(dtype) if array.dtype.kind == "f" else array
        for name, array in case.inputs(np.random.default_rng(0)).items()
    }
    return hashed(case.contenders.with_nnet(**inputs, **case.options).values())


def of_tree(ops: list[str]) -> Iterator[tuple[str, str]]:
    """Each case's name, with op and dtype, and its hash."""
    for op in ops:
        for case in CASES.get(op, ()):
            for dtype in (np.float32, np.float64):
                yield f"{op} {case.name} {dtype.__name__}", of_case(case, dtype)
    for training in TRAININGS if TRAINING_STEP in ops else ():
        _, step = training.in_nnet()
        losses = np.array([step() for _ in range(STEPS)])
        yield f"{TRAINING_STEP} {training.name}", hashed([losses])


def main() -> None:
    known = [*CASES, TRAINING_STEP]
    parser = argparse.ArgumentParser(prog="python -m bench.bits", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "ops", nargs="*", metavar="OP", help=f"from {', '.join(known)}; all if none"
    )
    parser.add_argument("--write", action="store_true", help="store them")
    options = parser.parse_args()
    unknown = set(options.ops) - set(known)
    if unknown:
        parser.error(f"expected ops from {', '.join(known)}, got {', '.join(sorted(unknown))}")
    stored: dict[str, dict[str, str]] = json.loads(STORED.read_text()) if STORED.exists() else {}
    width = f"{REGISTER_BYTES} bytes"
    found = dict(of_tree(options.ops or known))
    if options.write:
        kept = stored.get(width, {}) if options.ops else {}
        stored[width] = kept | found
        STORED.write_text(json.dumps(stored, indent=1) + "\n")
        return
    if width not in stored:
        print(f"no bits are stored for registers of {width}")
        return
    other = [name for name, bits in found.items() if stored[width].get(name) != bits]
    for name in other:
        print(f"{name}: expected {stored[width].get(name)}, got {found[name]}")
    print(f"{len(found) - len(other)} of {len(found)} have the same bits as stored")
    sys.exit(bool(other))


if __name__ == "__main__":
    main()
