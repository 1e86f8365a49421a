"""Speed of drop_connect."""

from bench.measure import over_cases, run


@over_cases("drop_connect")
def test_drop_connect(benchmark, case, direction, contender):
    run(benchmark, case, direction, contender)
