"""Speed of activation."""

from bench.measure import over_cases, run


@over_cases("activation")
def test_activation(benchmark, case, direction, contender):
    run(benchmark, case, direction, contender)
