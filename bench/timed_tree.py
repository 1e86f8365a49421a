"""What `bench.compare` runs in each of two trees: it times the calls that it is asked for.

A line of JSON comes, a line goes back. The text of this file is run with the tree's own `bench`, so
it asks of that no more than its cases and training steps.
"""

import json
import sys
from time import perf_counter

from bench.cases import CASES
from bench.machine import pinned, settle
from bench.training_step import TRAININGS

# Seconds of untimed calls, several ticks of the kernel's scheduler, and at least so many timed.
AWAKE, TIMED = 0.02, 0.002


def prepare(op, name, direction):
    if op == "training_step":
        (found,) = [each for each in TRAININGS if each.name == name]
        return found.in_nnet()[1]
    (found,) = [each for each in CASES[op] if each.name == name]
    return found.call("nnet", direction)


def seconds_of(call):
    """Of one call, in the mean of as many as fill `TIMED`."""
    settle()
    begin, calls = perf_counter(), 0
    while calls == 0 or perf_counter() - begin < AWAKE:
        call()
        calls += 1
    repeats = max(1, round(TIMED * calls / (perf_counter() - begin)))
    begin = perf_counter()
    for _ in range(repeats):
        call()
    return (perf_counter() - begin) / repeats


def serve():
    call = None
    for line in sys.stdin:
        asked = json.loads(line)
        if asked:
            try:
                call = prepare(*asked)
            except (KeyError, ValueError):
                call = None
            else:
                call()
                call()
            answer = call is not None
        else:
            with pinned():
                answer = seconds_of(call)
        print(json.dumps(answer), file=sys.__stdout__, flush=True)


if __name__ == "__main__":
    sys.stdout = sys.stderr
    serve()
