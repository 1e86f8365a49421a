"""Speed of conv2d."""

from bench.measure import over_cases, run


@over_cases("conv2d")
def test_conv2d(benchmark, case, direction, contender):
    run(benchmark, case, direction, contender)
