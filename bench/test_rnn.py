"""Speed of rnn."""

from bench.measure import over_cases, run


@over_cases("rnn")
def test_rnn(benchmark, case, direction, contender):
    run(benchmark, case, direction, contender)
