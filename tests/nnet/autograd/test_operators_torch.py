"""Operators as functions and methods, and powers, against PyTorch's."""

import numpy as np
import pytest

import nnet as nn

from .against_torch import check_refused, check_same

X, Y = np.random.default_rng(0).normal(size=(2, 2, 3, 4))
FLOATS = pytest.mark.parametrize("dtype", [np.float32, np.float64])
WHOLE = np.array([[5, -7, 0], [1, 2, -2]])

CALCULATIONS = {
    "add": lambda t, x, y: t.add(x, y),
    "add alpha": lambda t, x, y: x.add(y, alpha=2.5),
    "add number": lambda t, x, y: t.add(x, 2, alpha=3) * y,
    "sub": lambda t, x, y: t.sub(x, y),
    "sub alpha": lambda t, x, y: x.sub(y, alpha=-2),
    "sub number": lambda t, x, y: t.sub(x, other=1.5) * y,
    "mul": lambda t, x, y: t.mul(x, y),
    "mul number": lambda t, x, y: x.mul(3) * y,
    "div": lambda t, x, y: t.div(x, y),
    "div number": lambda t, x, y: x.div(4) * y,
    "div floor": lambda t, x, y: t.div(x, y, rounding_mode="floor") + x,
    "div trunc": lambda t, x, y: x.div(y * 0.3, rounding_mode="trunc") + x,
    "pow": lambda t, x, y: t.pow(x * x, y),
    "pow of number": lambda t, x, y: t.pow(2.5, x * y),
}
COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")


@FLOATS
@pytest.mark.parametrize("name", CALCULATIONS)
def test_calculations(name, dtype):
    call, x, y = CALCULATIONS[name], X.astype(dtype), Y.astype(dtype)
    for a, b in ((x, y), (x, y[0]), (x[:, :1], y.T[:1].T), (x[:0], y[:0]), (x[0, 0, ...], y[0])):
        check_same(call, a.copy(), b.copy())
    check_same(lambda t, x, y: call(t, x.detach(), y), x, y)
    check_same(lambda t, x, y: call(t, x.transpose(0, 1), y.transpose(0, 1)), x, y)


def test_calculations_of_integers():
    other = np.array([[2, -2, 3], [3, 5, -1]])
    for call in (
        lambda t, x, y: t.add(x, y, alpha=3),
        lambda t, x, y: t.add(x, 1.5, alpha=2),
        lambda t, x, y: t.sub(x, y.bool().long()),
        lambda t, x, y: t.mul(x, y),
        lambda t, x, y: t.div(x, y),
        lambda t, x, y: t.div(x, y, rounding_mode="floor"),
        lambda t, x, y: t.div(x, y, rounding_mode="trunc"),
        lambda t, x, y: x.div(2, rounding_mode="trunc"),
        lambda t, x, y: x.int().div(2.5, rounding_mode="floor"),
        lambda t, x, y: t.pow(x, 3),
        lambda t, x, y: t.pow(2, x * x),
    ):
        check_same(call, WHOLE, other)


@FLOATS
@pytest.mark.parametrize("name", COMPARISONS)
def test_comparisons(name, dtype):
    x = np.round(X).astype(dtype)
    y = np.round(Y).astype(dtype)
    check_same(lambda t, x, y: getattr(t, name)(x, y), x, y)
    check_same(lambda t, x, y: getattr(x.transpose(0, 1), name)(y[0, :, None]), x, y)
    check_same(lambda t, x, y: getattr(t, name)(x, other=1), x, y)
    check_same(lambda t, x, y: getattr(t, name)(x, y[0, 0, :3]), WHOLE, y)
    check_same(lambda t, x: getattr(t, name)(x, 0.5), x[:0])


def test_operators_refuse():
    one = np.ones(2)
    check_refused(lambda t, x: t.add(x, x, alpha=1.5), TypeError, "integer alpha", WHOLE)
    check_refused(lambda t, x: t.sub(x, x, alpha=1.5), TypeError, "integer alpha", WHOLE)
    check_refused(lambda t, x: t.div(x, x, rounding_mode="up"), ValueError, "got 'up'", one)
    check_refused(lambda t, x: t.div(x, 0, rounding_mode="floor"), ZeroDivisionError, "no 0", WHOLE)
    for name in ("add", "sub", "mul", "div", "pow"):
        check_refused(lambda t, x, n=name: getattr(t, n)(x, "a"), TypeError, "got str", one)
    for name in ("eq", "ne"):
        check_refused(lambda t, x, n=name: getattr(t, n)(x, None), TypeError, "got NoneType", one)
    for name in ("lt", "le", "gt", "ge"):
        check_refused(lambda t, x, n=name: getattr(t, n)(x, None), TypeError, "None", one)


@FLOATS
@pytest.mark.parametrize(
    "exponent", [-3, -2.0, -1, -0.5, 0, 0.5, 1, 2.0, 3, 3.0, 4, 5.0, 6, 7, 8.0, 9, 12.0, 2.5, True]
)
def test_powers(exponent, dtype):
    x = np.array([[-2.5, -1.0, -0.25], [0.5, 1.0, 3.0]]).astype(dtype)
    if exponent % 1:
        x = np.abs(x)
    check_same(lambda t, x: x**exponent, x)
    check_same(lambda t, x: t.pow(x.transpose(0, 1), exponent), x)
    check_same(lambda t, x: x.detach().pow(exponent), x)
    check_same(lambda t, x: x[0, 0].pow(exponent), x)
    check_same(lambda t, x: x**exponent, x[:0])


@pytest.mark.parametrize("exponent", [-3, -2.0, -1.0, 0, 1, 2, 3.0, 4, 8, float("inf")])
def test_powers_of_edges(exponent):
    edges = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-30, 1e30])
    check_same(lambda t, x: x.detach() ** exponent, edges)


def test_negative_powers_of_integers():
    exponents = np.array([-3, -2, -1, 0, 1, 2])
    for x in (-2, -1, 0, 1, 3):
        check_same(lambda t, x, p: x**p, np.full(6, x), exponents)
        check_same(lambda t, x, p: t.pow(x, p), np.array(x, np.int32), exponents.astype(np.int32))
    check_refused(lambda t, x: x**-1, ValueError, "floats for the exponent -1", exponents)


@FLOATS
def test_small_whole_powers_are_as_exact_as_their_products(dtype):
    x = np.random.default_rng(1).uniform(0.1, 10, 1000).astype(dtype)
    for exponent in range(-2, 9):
        exact = x.astype(np.longdouble) ** exponent
        check = (nn.pow(nn.tensor(x), exponent).data - exact) / exact
        assert np.abs(check).max() <= max(abs(exponent), 1) * np.finfo(dtype).eps / 2
