"""Speed of optimizer_step."""

from bench.measure import over_cases, run


@over_cases("optimizer_step")
def test_optimizer_step(benchmark, case, direction, contender):
    run(benchmark, case, direction, contender)
