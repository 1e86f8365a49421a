"""Speed of pointwise_loss."""

from bench.measure import over_cases, run


@over_cases("pointwise_loss")
def test_pointwise_loss(benchmark, case, direction, contender):
    run(benchmark, case, direction, contender)
