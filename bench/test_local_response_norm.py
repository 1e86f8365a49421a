"""Speed of local_response_norm."""

from bench.measure import over_cases, run


@over_cases("local_response_norm")
def test_local_response_norm(benchmark, case, direction, contender):
    run(benchmark, case, direction, contender)
