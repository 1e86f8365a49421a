"""Speed of lstm."""

from bench.measure import over_cases, run


@over_cases("lstm")
def test_lstm(benchmark, case, direction, contender):
    run(benchmark, case, direction, contender)
