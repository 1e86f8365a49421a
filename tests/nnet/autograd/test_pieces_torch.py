"""chunk, split and narrow against PyTorch's."""

import numpy as np
import pytest

import nnet as nn

from .against_torch import check_refused, check_same

X = np.random.default_rng(0).normal(size=(7, 3, 5))
FLOATS = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@FLOATS
@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 9])
def test_pieces(dtype, dim, count):
    x = X.astype(dtype)
    check_same(lambda t, x: t.chunk(x, count, dim), x)
    check_same(lambda t, x: (x * 2).chunk(chunks=count, dim=dim), x.T)
    check_same(lambda t, x: t.split(x, count, dim), x)
    check_same(lambda t, x: x.transpose(0, 2).split(split_size=count, dim=dim)[0], x)
    check_same(lambda t, x: t.split(x, split_size_or_sections=count), x)


@FLOATS
def test_pieces_of_sizes(dtype):
    x = X.astype(dtype)
    check_same(lambda t, x: t.split(x, [4, 0, 3]), x)
    check_same(lambda t, x: x.split((2, 3), -1), x)
    check_same(lambda t, x: x.detach().split([7]), x)
    check_same(lambda t, x: x.chunk(3), np.zeros((0, 2), dtype))
    check_same(lambda t, x: x.split(3), np.zeros((0, 2), dtype))
    check_same(lambda t, x: x.chunk(3), np.arange(8))


@FLOATS
@pytest.mark.parametrize("place", [(0, 2, 3), (0, -3, 3), (1, 3, 0), (-1, 0, 5), (-2, -1, 1)])
def test_narrow(dtype, place):
    x = X.astype(dtype)
    check_same(lambda t, x: x.narrow(*place), x)
    check_same(lambda t, x: t.narrow(x * x, *place), x)
    check_same(lambda t, x: x.detach().narrow(*place), x)
    check_same(lambda t, x: x.transpose(0, 2).narrow(0, t.tensor(1), length=2), x)
    check_same(lambda t, x: x.narrow(1, 0, 2), np.zeros((0, 2), dtype))


def test_pieces_are_views():
    x = nn.zeros(6)
    for piece in (x.narrow(0, 0, 2), x.split(4)[1], x.chunk(3)[1]):
        piece.add_(1)
    assert x.tolist() == [1, 1, 1, 1, 1, 1]


def test_pieces_refuse():
    check_refused(lambda t, x: x.chunk(0), ValueError, "at least 1, got 0", X)
    check_refused(lambda t, x: x.chunk(2.0), TypeError, "an integer, got 2.0", X)
    check_refused(lambda t, x: x.chunk(2, 3), IndexError, "-3 to 2, got 3", X)
    check_refused(lambda t, x: x.split(0), ValueError, "above 0, got 0", X)
    check_refused(lambda t, x: x.split(-1), ValueError, "above 0, got -1", X)
    check_refused(lambda t, x: x.split([3, 3]), ValueError, r"add up to 7, got \[3, 3\]", X)
    check_refused(lambda t, x: x.split([8, -1]), ValueError, "add up to 7", X)
    check_refused(lambda t, x: x.narrow(0, 8, 0), IndexError, "-7 to 7, got 8", X)
    check_refused(lambda t, x: x.narrow(0, -8, 1), IndexError, "-7 to 7, got -8", X)
    check_refused(lambda t, x: x.narrow(0, 5, 3), ValueError, "0 to 2, got 3", X)
    check_refused(lambda t, x: x.narrow(0, 5, -1), ValueError, "0 to 2, got -1", X)
    check_refused(lambda t, x: x.narrow(0, 1.5, 1), TypeError, "start as an integer", X)
    for call in (lambda t, x: x.narrow(0, 0, 1), lambda t, x: x.chunk(1), lambda t, x: x.split(1)):
        check_refused(call, IndexError, "got 0", np.ones(()))
