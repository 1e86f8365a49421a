"""Speed of softmax_cross_entropy."""

from bench.measure import over_cases, run


@over_cases("softmax_cross_entropy")
def test_softmax_cross_entropy(benchmark, case, direction, contender):
    run(benchmark, case, direction, contender)
