"""Speed of gru."""

from bench.measure import over_cases, run


@over_cases("gru")
def test_gru(benchmark, case, direction, contender):
    run(benchmark, case, direction, contender)
