"""Speed of softmax."""

from bench.measure import over_cases, run


@over_cases("softmax")
def test_softmax(benchmark, case, direction, contender):
    run(benchmark, case, direction, contender)
