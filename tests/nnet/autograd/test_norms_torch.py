"""Norms against PyTorch's."""

import numpy as np
import pytest

from .against_torch import check_refused, check_same

X = np.random.default_rng(0).normal(size=(3, 4, 5))
HOLES = np.array([[0.0, 3.0, -3.0, 0.0], [0.0, 0.0, 0.0, 0.0], [1.0, -1.0, 0.0, 2.0]])
FLOATS = pytest.mark.parametrize("dtype", [np.float32, np.float64])
INF = float("inf")


@FLOATS
@pytest.mark.parametrize("p", [2, 1, 0, INF, -INF, 3, 1.5, 0.5, -1, 2.0, None])
def test_norm(dtype, p):
    x = X.astype(dtype)
    check_same(lambda t, x: x.norm(p), x)
    for dim in (0, -1, (0, 2), [1], [0, 1, 2]):
        check_same(lambda t, x, d=dim: x.norm(p, d), x)
        check_same(lambda t, x, d=dim: x.norm(p, dim=d, keepdim=True), x)
    check_same(lambda t, x: t.norm(x.transpose(0, 2)[1:] * 2, p, 1), x)


@FLOATS
def test_defaults(dtype):
    x = X.astype(dtype)
    check_same(lambda t, x: x.norm(), x)
    check_same(lambda t, x: x.norm(dim=1), x)
    check_same(lambda t, x: x.norm("fro", (0, 1), True), x)
    check_same(lambda t, x: x.norm(keepdim=True), x)
    check_same(lambda t, x: x.norm(2, -1, dtype=t.float64), x)


@FLOATS
@pytest.mark.parametrize("p", [2, 1, 0, INF, 3, 1.5])
def test_gradients_at_zeros_and_ties(dtype, p):
    x = HOLES.astype(dtype)
    check_same(lambda t, x: x.norm(p, 1), x)
    check_same(lambda t, x: x[1].norm(p), x)
    check_same(lambda t, x: x.norm(p, 0), x)


def test_nothing_and_no_axes():
    for p in (2, 1, 0, 3):
        check_same(lambda t, x, p=p: x.norm(p), np.zeros(0))
        check_same(lambda t, x, p=p: x.norm(p, 0), np.zeros((0, 3)))
        check_same(lambda t, x, p=p: x.norm(p, 1), np.zeros((0, 3)))
    for p in (2, 1, INF, 3):
        check_same(lambda t, x, p=p: x.norm(p), np.array(-3.0))
        check_same(lambda t, x, p=p: x.norm(p, 0), np.array(-3.0))
    check_same(lambda t, x: x.norm(INF, 1), np.zeros((0, 3)))


def test_large_numbers():
    check_same(lambda t, x: x.norm(), np.full(3, 3e18, np.float32))
    check_same(lambda t, x: x.norm(), np.array([np.inf, 1.0]))


@FLOATS
def test_nuclear_norms(dtype):
    x = X.astype(dtype)
    check_same(lambda t, x: x[0].norm("nuc"), x)
    check_same(lambda t, x: x.norm("nuc", (0, 2), keepdim=True), x)
    check_same(lambda t, x: x.norm("nuc", (-1, 1)), x)
    check_refused(lambda t, x: x.norm("nuc"), ValueError, "two axes for 'nuc', got 3", x)


def test_norm_refuses():
    check_refused(lambda t, x: x.norm(), TypeError, "got int64", np.arange(3))
    check_refused(lambda t, x: x.norm("x"), ValueError, "number, 'fro' or 'nuc', got 'x'", X[0])
    check_refused(lambda t, x: x.norm(2, 3), IndexError, "-3 to 2, got 3", X)
    for p in (INF, -INF, -1):
        check_refused(lambda t, x, p=p: x.norm(p), ValueError, r"got shape \(0,\)", np.zeros(0))
