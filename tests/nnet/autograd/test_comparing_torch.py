"""allclose and equal against PyTorch's."""

import numpy as np
import pytest

import nnet as nn

from .against_torch import check_refused, tensor_of

torch = pytest.importorskip("torch")

NAN, INF = np.nan, np.inf
PAIRS = [
    ([1.0, 2.0], [1.0, 2.0]),
    ([1.0, 2.0], [1.0, 2.00001]),
    ([1.0, 2.0], [1.0, 2.0001]),
    ([0.0], [1e-9]),
    ([0.0], [1e-7]),
    ([INF, -INF], [INF, -INF]),
    ([INF], [-INF]),
    ([INF], [1.0]),
    ([NAN], [NAN]),
    ([1, 2], [1, 2]),
    ([1, 2], [1, 3]),
    ([[1.0], [1.0]], [1.0]),
    ([1.0, 1.0], 1.0),
    (np.zeros(0), np.zeros(0)),
    (np.zeros(0), np.zeros((0, 1))),
    ([True, False], [True, False]),
]


@pytest.mark.parametrize("first, second", PAIRS)
def test_comparisons(first, second):
    a, b = (np.asarray(each) for each in (first, second))
    ours, theirs = ([tensor_of(t, each) for each in (a, b)] for t in (nn, torch))
    for options in ({}, {"equal_nan": True}, {"rtol": 0.0}, {"rtol": 0, "atol": 1e-3}):
        told = nn.allclose(*ours, **options)
        assert type(told) is bool and told == torch.allclose(*theirs, **options)
        assert ours[0].allclose(ours[1], **options) == told
    assert ours[0].allclose(ours[1], 1e-2, 0.1) == theirs[0].allclose(theirs[1], 1e-2, 0.1)
    told = nn.equal(*ours)
    assert type(told) is bool and told == torch.equal(*theirs) == ours[0].equal(ours[1])


def test_equal_of_two_dtypes():
    assert nn.equal(nn.tensor([1, 2]), nn.tensor([1.0, 2.0]))
    assert nn.tensor([1.0]).equal(nn.tensor([1.0], dtype=np.float64))


def test_comparisons_refuse():
    x = np.ones(2)

    def close(t, x, y):
        return t.allclose(x, y)

    check_refused(close, TypeError, "one dtype, got float64 and float32", x, x.astype(np.float32))
    check_refused(close, ValueError, r"got \(2,\) and \(3,\)", x, np.ones(3))
    check_refused(lambda t, x: t.allclose(x, x, rtol=-1), ValueError, "rtol of at least 0", x)
    check_refused(lambda t, x: t.allclose(x, x, atol=-1), ValueError, "atol of at least 0", x)
    check_refused(lambda t, x: t.allclose(x, 1.0), TypeError, "two tensors, got float", x)
    check_refused(lambda t, x: t.equal(x, 1.0), TypeError, "two tensors, got float", x)
