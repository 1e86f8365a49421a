"""Speed of gather_normalize."""

from bench.measure import over_cases, run


@over_cases("gather_normalize")
def test_gather_normalize(benchmark, case, direction, contender):
    run(benchmark, case, direction, contender)
