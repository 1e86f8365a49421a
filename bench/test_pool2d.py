"""Speed of pool2d."""

from bench.measure import over_cases, run


@over_cases("pool2d")
def test_pool2d(benchmark, case, direction, contender):
    run(benchmark, case, direction, contender)
