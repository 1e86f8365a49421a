"""Speed of prelu."""

from bench.measure import over_cases, run


@over_cases("prelu")
def test_prelu(benchmark, case, direction, contender):
    run(benchmark, case, direction, contender)
