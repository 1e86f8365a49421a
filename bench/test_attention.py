"""Speed of attention."""

from bench.measure import over_cases, run


@over_cases("attention")
def test_attention(benchmark, case, direction, contender):
    run(benchmark, case, direction, contender)
