"""Speed of additive_score."""

from bench.measure import over_cases, run


@over_cases("additive_score")
def test_additive_score(benchmark, case, direction, contender):
    run(benchmark, case, direction, contender)
