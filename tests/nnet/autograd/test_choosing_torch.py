"""where and masked_fill against PyTorch's."""

import numpy as np
import pytest

import nnet as nn

from .against_torch import check_refused, check_same

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(3, 4))
MASK = GENERATOR.random((3, 4)) < 0.5
ROW, COLUMN = MASK[0], MASK[:, :1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("mask", [MASK, ROW, COLUMN, MASK.T.copy().T, np.array(True)])
def test_masked_fill(dtype, mask):
    x = X.astype(dtype)
    check_same(lambda t, x, m: x.masked_fill(m, -1e9), x, mask)
    check_same(lambda t, x, m: t.masked_fill(x, m, float("inf")), x, mask, tolerance=0)
    check_same(lambda t, x, m: x.T.masked_fill((x > 0).T, 2), x, mask)
    check_same(lambda t, x, m, v: x.masked_fill(m, v), x, mask, np.array(2.5, dtype))
    check_same(lambda t, x, m: (x * 2).masked_fill_(m, 0.5), x, mask)
    check_same(lambda t, x, m, v: (x * 2).masked_fill_(m, v), x, mask, np.array(2.5, dtype))


def test_masked_fill_broadcasts_the_tensor_and_keeps_its_dtype():
    check_same(lambda t, x, m: x.masked_fill(m, 0), X[0], MASK)
    check_same(lambda t, x, m: x.masked_fill(m, 0), np.array(1.0), MASK)
    check_same(lambda t, x, m: x.masked_fill(m, 1.5), np.arange(4), ROW)
    check_same(lambda t, x, m: x.masked_fill(m, 1), ~ROW, ROW)
    check_same(lambda t, x, m, v: x.masked_fill(m, v), X[0].astype(np.float32), ROW, np.array(2.0))
    check_same(lambda t, x, m: x.masked_fill(m, 1), np.zeros((0, 3)), np.zeros((0, 1), bool))


def test_masked_fill_in_place_of_part_of_a_tensor():
    def fill(t, x, m):
        y = x * 1
        y[1:].masked_fill_(m[1:], 3)
        return y * x

    check_same(fill, X, MASK)
    x = nn.tensor([1.0, 2.0])
    assert x.masked_fill_(nn.tensor([True, False]), 0) is x and x.tolist() == [0, 2]


def test_masked_fill_in_place_spoils_what_was_kept():
    x = nn.Tensor(X.copy(), requires_grad=True)
    y = x * 2
    z = y * y
    y.masked_fill_(nn.Tensor(MASK), 0)
    with pytest.raises(RuntimeError, match="written to since"):
        z.sum().backward()
    with pytest.raises(RuntimeError, match="masked_fill_: expected a computed tensor"):
        x.masked_fill_(nn.Tensor(MASK), 0)


def test_masked_fill_refuses():
    def fill(t, x, m):
        return x.masked_fill(m, 0)

    check_refused(fill, TypeError, "mask to be a tensor of bool, got uint8", X, MASK.view("uint8"))
    check_refused(fill, ValueError, r"broadcasts to \(3, 4\), got \(5,\)", X, np.ones(5, bool))
    check_refused(
        lambda t, x, m, v: x.masked_fill(m, v),
        ValueError,
        r"without axes, got shape \(1,\)",
        *(X, MASK, np.ones(1)),
    )
    check_refused(
        lambda t, x, m: (x * 1).masked_fill_(m, 0),
        ValueError,
        r"shape \(4,\), got \(3, 4\)",
        *(X[0], MASK),
    )
    with pytest.raises(TypeError, match="mask to be a tensor of bool, got list"):
        nn.zeros(2).masked_fill([True, False], 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_where(dtype):
    x = X.astype(dtype)
    for number in (0, -1.5, True):
        check_same(lambda t, x, m, n=number: t.where(m, x, n), x, MASK)
        check_same(lambda t, x, m, n=number: t.where(m, n, x), x, ROW)
        check_same(lambda t, x, m, n=number: x.where(m, n), x, COLUMN)
    check_same(lambda t, x, m: t.where(condition=m, input=x, other=x * x), x, MASK)
    check_same(lambda t, x, m, y: t.where(m, x, y), x, MASK, np.array(2.0))
    check_same(lambda t, x, m: t.where(m[:0], x[:0], 1), x, MASK)


@pytest.mark.parametrize("pair", [(1, 0), (1.0, 0), (True, False), (True, 2), (2, 0.5)])
def test_where_of_two_numbers(pair):
    check_same(lambda t, m: t.where(m, *pair), MASK)
    check_same(lambda t, x: t.where(x, *pair), np.array([1, 2, 0]) > 1)


def test_where_of_integers_and_numbers():
    check_same(lambda t, x, m: t.where(m, x, 0.5), np.arange(4), ROW)
    check_same(lambda t, x, m: t.where(m, x, 7), np.arange(4, dtype=np.int32), ROW)
    check_refused(lambda t, x, m: t.where(m, x), TypeError, "number", X, MASK)
    check_refused(lambda t, x: t.where(x, x, x), TypeError, "tensor of bool, got float64", X)
