"""One case under pytest-benchmark."""

from __future__ import annotations

import functools
from typing import Any

from bench.case import Case
from bench.cases import CASES
from bench.machine import pinned, settle

CONTENDERS = ("numpy", "nnet")

SECONDS = 0.5  # for each figure, or MIN_ROUNDS calls
MIN_ROUNDS = 7


def run(benchmark: Any, case: Case, direction: str, contender: str) -> None:
    """Time one contender, after all contenders of the case were found to agree."""
    _check(case)
    call = case.call(contender, direction)
    # Compiles or loads kernels, fills the pool of buffers; then other threads fall asleep.
    call()
    settle()
    work = case.work(direction)
    benchmark.extra_info.update(
        op=case.op,
        case=case.name,
        direction=direction,
        contender=contender,
        flops=work.flops,
        bytes=work.bytes,
    )
    with pinned():
        benchmark(call)


@functools.cache
def _checked(op: str, index: int) -> None:
    CASES[op][index].check(CONTENDERS)


def _check(case: Case) -> None:
    _checked(case.op, CASES[case.op].index(case))
