"""Speed of every op: `make bench`, or of some, `make bench ARGS="-k conv2d"`."""

from typing import Any

import pytest

from bench.case import Case
from bench.cases import CASES
from bench.measure import CONTENDERS, MIN_ROUNDS, SECONDS, run


def parameters(op: str, case: Case, direction: str, contender: str) -> Any:
    """What is compared stands in one group: one case in one direction."""
    name = f"{op} {case.name} {direction}"
    timing = pytest.mark.benchmark(group=name, max_time=SECONDS, min_rounds=MIN_ROUNDS)
    return pytest.param(case, direction, contender, id=f"{name} {contender}", marks=timing)


@pytest.mark.parametrize(
    ("case", "direction", "contender"),
    [
        parameters(op, case, direction, contender)
        for op, cases in CASES.items()
        for case in cases
        for direction in case.directions
        for contender in CONTENDERS
    ],
)
def test_op(benchmark, case, direction, contender):
    run(benchmark, case, direction, contender)
