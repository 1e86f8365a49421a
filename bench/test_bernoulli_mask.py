"""Speed of bernoulli_mask."""

from bench.measure import over_cases, run


@over_cases("bernoulli_mask")
def test_bernoulli_mask(benchmark, case, direction, contender):
    run(benchmark, case, direction, contender)
