"""Speed of group_norm."""

from bench.measure import over_cases, run


@over_cases("group_norm")
def test_group_norm(benchmark, case, direction, contender):
    run(benchmark, case, direction, contender)
