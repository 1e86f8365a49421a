"""Speed of embedding."""

from bench.measure import over_cases, run


@over_cases("embedding")
def test_embedding(benchmark, case, direction, contender):
    run(benchmark, case, direction, contender)
