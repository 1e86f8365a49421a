"""Speed of maxout."""

from bench.measure import over_cases, run


@over_cases("maxout")
def test_maxout(benchmark, case, direction, contender):
    run(benchmark, case, direction, contender)
