"""Speed of matmul."""

from bench.measure import over_cases, run


@over_cases("matmul")
def test_matmul(benchmark, case, direction, contender):
    run(benchmark, case, direction, contender)
