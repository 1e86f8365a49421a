"""Speed of batch_norm."""

from bench.measure import over_cases, run


@over_cases("batch_norm")
def test_batch_norm(benchmark, case, direction, contender):
    run(benchmark, case, direction, contender)
