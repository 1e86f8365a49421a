"""Call everything again and again on several threads; the bits must be those of one thread.

For a process of its own, since what threads do while they wait is settled when the first of them
starts: told to sleep, they come too late to collide. Prints a line of JSON: digests of the
results on one thread, and what differed.
"""

import hashlib
import json
import time
from typing import Any

import numpy as np

from kernels import _jit
from tests.helpers import assert_same_bits
from tests.races.calls import CALLS

THREADS = 2, 3, 8
REPEATS = 50
# Where threads outnumber cores, they may wait long for each other.
SECONDS, LEAST = 0.1, 5


def digest(results: Any) -> str:
    """Of all arrays and numbers, in nested sequences."""
    found = hashlib.sha256()

    def add(value: Any) -> None:
        if isinstance(value, tuple | list):
            for each in value:
                add(each)
        elif value is not None:
            found.update(np.ascontiguousarray(value).tobytes())

    add(results)
    return found.hexdigest()


def alone(name: str) -> str:
    """The digest of a call's results on one thread."""
    _jit.set_num_threads(1)
    return digest(CALLS[name](np.random.default_rng(0))())


def collide(name: str) -> list[str]:
    """What differs from the results on one thread."""
    run = CALLS[name](np.random.default_rng(0))
    _jit.set_num_threads(1)
    expected, wrong = run(), []
    for threads in THREADS:
        _jit.set_num_threads(threads)
        began, differences = time.perf_counter(), []
        for done in range(REPEATS):
            if done >= LEAST and time.perf_counter() - began > SECONDS:
                break
            try:
                assert_same_bits(run(), expected)
            except AssertionError as error:
                differences.append(str(error))
        if differences:
            wrong.append(f"{name}, {threads} threads: {len(differences)} times {differences[0]}")
    return wrong


if __name__ == "__main__":
    report = {
        "digests": {name: alone(name) for name in CALLS},
        "wrong": [line for name in CALLS for line in collide(name)],
    }
    print(json.dumps(report))
